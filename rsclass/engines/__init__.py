"""The classifiers, one a file; they know neither files nor workers."""
