"""The methods of the deep family, each in the terms of the one training loop."""
