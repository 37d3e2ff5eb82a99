"""`python -m app`: opens the page, or does what the command after it says."""

import sys

from app.cli import main

if __name__ == "__main__":
    sys.exit(main())
