"""`python -m app`: opens the page, or does what the command after it says."""

import os
import sys
import threading

from app.cli import main
from app.service.classifier_registry import LoadingThread


def end(status: int) -> None:
    """A thread that loads a classifier cannot be stopped, and fails loudly in an interpreter that is taken apart under it."""
    if any(isinstance(thread, LoadingThread) for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    end(main())
