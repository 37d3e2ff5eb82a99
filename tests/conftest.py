"""What all tests share: a quiet TensorFlow, no call to the outside, and the folder of real pictures and models."""

import os
from pathlib import Path

import pytest

from tests.data import data_folder

# Before TensorFlow or Gradio are imported anywhere: neither speaks to the outside, and no log drowns a failure.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("MPLBACKEND", "Agg")
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real pictures and models; the test skips where it is absent."""
    folder = data_folder()
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent; set CROSSCHECK_DATA to the folder of real pictures and models")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests last, whatever is asked for: Playwright keeps a loop in this thread, and no test after it could run one of its own."""
    items.sort(key=lambda item: "browser" in item.path.parts)
