"""``python -m rsclass``."""

from __future__ import annotations

import sys

from rsclass.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
