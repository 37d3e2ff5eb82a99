"""The requirements files name what the code imports, each once, at an exact version."""

import re
import sys
from importlib.metadata import packages_distributions, version

import pytest

from tests.architecture.test_import_direction import PRODUCT
from tools.imports import ROOT, imported_names

OURS = {"app", "explainers", "models", "examples", "benchmarks", "tests", "errors", "image_batches", "plain_arrays", "plain_files"}
TYPES_ONLY = {"_typeshed"}
"""Modules that only type checkers have."""
OPTIONAL = {"keras_hub"}
"""Modules that are used where they are installed; elsewhere a sentence says what to install. requirements-dev.txt has them."""


def pinned(name: str) -> dict[str, str]:
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    pins = [line.split("==") for line in lines if line and not line.startswith("-r")]
    assert all(len(pin) == 2 for pin in pins), f"{name}: every line is name==version"
    return {re.sub(r"[-_.]+", "-", name).lower(): number for name, number in pins}


def test_what_the_product_imports_is_pinned_and_nothing_else() -> None:
    distributions = packages_distributions()
    wanted = set()
    for path in PRODUCT:
        for module in imported_names(path.read_text(encoding="utf-8"), path.relative_to(ROOT).parent.parts):
            top = module.split(".")[0]
            if top not in sys.stdlib_module_names and top not in OURS | TYPES_ONLY | OPTIONAL:
                wanted.add(re.sub(r"[-_.]+", "-", distributions[top][0]).lower())
    assert wanted == set(pinned("requirements.txt")) | set(pinned("requirements-openvino.txt"))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-openvino.txt", "requirements-dev.txt"])
def test_the_tests_run_on_the_pinned_versions(name: str) -> None:
    assert {package: version(package) for package in pinned(name)} == pinned(name)
