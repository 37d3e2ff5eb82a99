"""Where the real pictures and models lie that tests and benchmarks use and the repository may not hold."""

import os
from pathlib import Path


def data_folder() -> Path:
    """The folder that CROSSCHECK_DATA names, or `shared/data` beside the repository. It may not exist."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    return Path(os.environ.get("CROSSCHECK_DATA") or beside)
