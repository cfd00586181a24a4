"""The story, one verb a file: scene to sample to fit to predict to write to report."""
