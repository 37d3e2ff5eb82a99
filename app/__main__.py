"""`python -m app`: serves the page, or runs another command."""

import os
import sys
import threading

from app.cli import main
from app.service.classifier_registry import ClassifierLoadingThread


def _exit_at_once(status: int) -> None:
    """Exits at once while a thread still loads a classifier: it cannot be stopped, and would fail during the interpreter's shutdown."""
    if any(isinstance(thread, ClassifierLoadingThread) for thread in threading.enumerate()):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    sys.exit(status)


if __name__ == "__main__":
    _exit_at_once(main())
