"""Values and arithmetic: no file is opened here and no worker started."""
