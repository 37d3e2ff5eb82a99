"""Hugging Face Spaces starts this file; it opens the page where the Space expects it."""

import sys

from app.cli import main

if __name__ == "__main__":
    main(["fetch"])  # a Gradio Space runs nothing of ours while it is built; what cannot be fetched now is tried again when it is chosen
    sys.exit(main(["serve", "--host", "0.0.0.0"]))
