"""How modules are named, and how many a package may hold."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("app", "explainers", "models", "benchmarks")
AT_MOST = 20
EXEMPT = {"models/store"}
"""Data with an `__init__.py`: neither held to the limit nor counted."""

NOUNS_IN_ING = {"encoding", "formatting", "grouping", "listing", "loading", "matching", "preprocessing", "rendering", "scaling", "training"}
"""Established nouns of the field. Any other module in -ing names an activity, which can hold anything."""

PARTICIPLE = re.compile(r"(?<!spe)(?<!se)(?<!fe)ed$")

SAME_NAME = {
    "cached_answer": "what is stored, and the command that makes it",
    "explain": "a command's flags and its work",
    "grid_game": "a command's flags and its work",
    "inspect": "a command's flags and its work",
    "library": "a command's flags and its work",
    "methods": "a command's flags and its work",
    "metrics": "a command's flags and its work, and the metrics of an answer",
    "chest_xray": "a data set's layout and its recipe",
    "covid_xray": "a data set's layout and its recipe",
    "folder": "a data set's layout and its recipe",
    "glass_box": "a synthetic data set and its recipe",
    "phantoms": "a synthetic data set and its recipe, and its benchmark",
    "tf_keras_vis": "the package that a benchmark compares with",
    "xplique": "the package that a benchmark compares with",
}
"""Modules that may occur twice within one top-level package, and why."""


def modules(package: str) -> list[Path]:
    return sorted(path for path in (ROOT / package).rglob("*.py") if not path.stem.startswith("__"))


@pytest.mark.parametrize("package", PACKAGES)
def test_no_two_modules_of_a_package_have_the_same_name(package: str) -> None:
    places = defaultdict(list)
    for path in modules(package):
        places[path.stem].append(path.relative_to(ROOT).as_posix())
    twice = {name: found for name, found in places.items() if len(found) > 1 and name not in SAME_NAME}
    assert not twice, twice


@pytest.mark.parametrize("package", PACKAGES)
def test_a_module_is_a_noun(package: str) -> None:
    last_words = {path.relative_to(ROOT).as_posix(): path.stem.rsplit("_", 1)[-1] for path in modules(package)}
    wrong = [path for path, word in last_words.items() if (word.endswith("ing") and word not in NOUNS_IN_ING) or PARTICIPLE.search(word)]
    assert not wrong, wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_has_at_most_twenty_modules_and_subpackages(package: str) -> None:
    for folder in (ROOT / package, *(path for path in (ROOT / package).rglob("*") if path.is_dir())):
        if folder.relative_to(ROOT).as_posix() in EXEMPT:
            continue
        inside = [
            path
            for path in folder.iterdir()
            if ((path.suffix == ".py" and path.stem != "__init__") or any(path.glob("*.py")))
            and path.relative_to(ROOT).as_posix() not in EXEMPT
        ]
        assert len(inside) <= AT_MOST, f"{folder.relative_to(ROOT)} has {len(inside)}: {sorted(path.name for path in inside)}"


@pytest.mark.parametrize(
    ("word", "participle"), [("measured", True), ("judged", True), ("speed", False), ("seed", False), ("feed", False), ("bed", True)]
)
def test_the_participle_rule_itself(word: str, participle: bool) -> None:
    assert bool(PARTICIPLE.search(word)) is participle
