"""Workers: an ordered map over any executor, and the memory it may use."""
