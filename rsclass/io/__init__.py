"""Rasters, vectors, models and tables on disk: the only place that opens a file."""
