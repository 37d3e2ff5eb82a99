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

NOUNS_IN_ING = {
    *("encoding", "formatting", "grouping", "listing", "loading", "matching"),
    *("preprocessing", "learning", "ranking", "rendering", "scaling", "string", "training"),
}
"""Established nouns of the field. Any other module in -ing names an activity, which can hold anything."""

ADJECTIVES = {"expiring", "shared", "yielding"}
"""Participles that say of what kind the noun after them is, or the package's parts."""

PARTICIPLE = re.compile(r"(?<!spe)(?<!se)(?<!fe)ed$")

SAME_NAME = {
    frozenset({"app/service/cached_answer.py", "app/maintenance/cached_answer.py"}): "what is stored, and the command that makes it",
    **{
        frozenset({f"app/cli/{name}.py", f"app/commands/{name}.py"}): "a command's flags and its work"
        for name in ("explain", "fetch", "grid_game", "inspect", "library", "methods", "report_card")
    },
    frozenset({"app/metrics.py", "app/cli/metrics.py", "app/commands/metrics.py"}): "the metrics of an answer, and a command's two parts",
    **{
        frozenset({f"models/datasets/layouts/{name}.py", f"models/training/recipes/{name}.py"}): "a data set's layout and its recipe"
        for name in ("chest_xray", "covid_xray", "folder")
    },
    **{
        frozenset({f"models/datasets/synthetic/{name}.py", f"models/training/recipes/{name}.py"}): "a synthetic data set and its recipe"
        for name in ("glass_box", "phantoms")
    },
    **{
        frozenset({f"benchmarks/competitors/{name}.py", f"benchmarks/zoo_parts/packages/{name}.py"}): "the package compared with"
        for name in ("tf_keras_vis", "xplique")
    },
}
"""Modules that share a name within one top-level package, and why."""


def modules(package: str) -> list[Path]:
    return sorted(path for path in (ROOT / package).rglob("*.py") if not path.stem.startswith("__"))


@pytest.mark.parametrize("package", PACKAGES)
def test_no_two_modules_of_a_package_have_the_same_name(package: str) -> None:
    places = defaultdict(list)
    for path in modules(package):
        places[path.stem].append(path.relative_to(ROOT).as_posix())
    twice = {frozenset(found) for found in places.values() if len(found) > 1}
    assert twice == {same for same in SAME_NAME if all(path.startswith(f"{package}/") for path in same)}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_module_is_a_noun(package: str) -> None:
    folders = [path for path in (ROOT / package).rglob("*") if path.is_dir() and any(path.glob("*.py"))]
    wrong = [path.relative_to(ROOT).as_posix() for path in (*modules(package), *folders) if names_an_activity(path.stem)]
    assert wrong == []


def names_an_activity(name: str) -> bool:
    """Whether the first word of a name is a gerund, or its last one a gerund or a participle, that is no established noun."""
    first, *_, last = (*name.split("_"), name.split("_")[-1])
    gerund = any(word.endswith("ing") and word not in NOUNS_IN_ING and word not in ADJECTIVES for word in (first, last))
    return gerund or (last not in ADJECTIVES and bool(PARTICIPLE.search(last)))


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


@pytest.mark.parametrize("name", ["measured", "judging", "telling_apart", "card_writing", "wanted"])
def test_an_activity_is_seen(name: str) -> None:
    assert names_an_activity(name)


@pytest.mark.parametrize("name", ["speed", "seed", "feed", "loading", "rendering", "class_matching", "training", "string_table"])
def test_a_noun_is_allowed(name: str) -> None:
    assert not names_an_activity(name)
