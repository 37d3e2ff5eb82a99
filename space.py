"""Hugging Face Spaces starts this file; it opens the page where the Space expects it."""

import sys

from app.cli import main

if __name__ == "__main__":
    sys.exit(main(["serve", "--host", "0.0.0.0", "--port", "7860"]))
