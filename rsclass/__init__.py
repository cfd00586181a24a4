"""Classify multiband remote-sensing imagery into land-cover maps."""
