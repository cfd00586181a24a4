"""Questions whose answers are known without a label, by which a network learns to see."""
