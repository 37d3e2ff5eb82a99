"""The documentation holds together: links lead somewhere, commands exist, and the README stays short."""

import importlib.util
import re
from pathlib import Path

import pytest

from app.cli import COMMANDS, command_name
from models.datasets.layouts import LAYOUTS
from models.training.recipes import RECIPES
from tests.architecture.test_import_direction import ROOT

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted((ROOT / "docs").glob("*.md"))
RESULTS = sorted((ROOT / "benchmarks" / "results").glob("*.md"))
FENCE = re.compile(r"^```.*?^```$|^ {4}[^\n]*$", re.MULTILINE | re.DOTALL)
LINES, COLUMNS, WORDS = 92, 100, 900
"""Of the README, its front matter not counted among the lines."""


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def prose(text: str) -> str:
    """Without blocks and spans of code, in which brackets are no links."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))


def links(text: str) -> list[str]:
    """Where the links and pictures of a page lead."""
    return re.findall(r"\]\(([^)\s]+)\)", prose(text))


def anchors(text: str) -> set[str]:
    """The headings of a page as GitHub makes anchors of them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        number = sum(1 for each in found if re.fullmatch(rf"{re.escape(slug)}(-\d+)?", each))
        found.add(f"{slug}-{number}" if number else slug)
    return found


def broken(page: Path, text: str) -> list[str]:
    """The relative links of `text`, lying at `page`, that lead nowhere."""
    wrong = []
    for link in links(text):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, anchor = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        there = target.exists() and target.is_relative_to(ROOT)
        if not there or (anchor and anchor not in anchors(text if target == page else target.read_text(encoding="utf-8"))):
            wrong.append(link)
    return wrong


def modules(text: str) -> set[str]:
    """What a page says `python -m` of."""
    return set(re.findall(r"python3? -m ([a-z_][\w.]*\w)", text))


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken(page, page.read_text(encoding="utf-8")) == []


def test_a_broken_link_is_found() -> None:
    text = "# One\n[a](#one) [b](#two) `[c](none.md)` [d](none.md) [e](https://example.org)\n\n    [f](none.md)\n\n"
    text += "[h](gone.md)\n\n## One\n[g](#one-1)"
    assert broken(ROOT / "README.md", text) == ["#two", "none.md", "gone.md"]
    assert broken(ROOT / "docs" / "index.md", "[a](../../outside.md) [b](../README.md#install-and-run) [c](../README.md#away)") == [
        "../../outside.md",
        "../README.md#away",
    ]


@pytest.mark.parametrize("page", [*PAGES, *RESULTS], ids=named)
def test_every_command_names_a_module_that_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [name for name in modules(text) if name != "benchmarks.NAME" and not exists(name)] == []
    assert set(re.findall(r"-m app ([a-z][\w-]*)", text)) <= set(map(command_name, COMMANDS))


def test_every_recipe_and_layout_is_in_its_table() -> None:
    text = (ROOT / "docs" / "train.md").read_text(encoding="utf-8")
    recipes = {name for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)}
    assert set(RECIPES) <= recipes
    assert [name for name in LAYOUTS if not re.search(rf"\b{name}\b", text)] == []


def test_every_command_is_named_in_the_docs() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert [name for name in map(command_name, COMMANDS) if f"python -m app {name}" not in text] == []


def exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def test_commands_are_found_in_text_and_in_blocks() -> None:
    assert modules("run `python -m app.none x`.\n\n    .venv/bin/python -m models.train folder\n") == {"app.none", "models.train"}
    assert exists("models.train")
    assert not exists("app.none")
    assert not exists("none.at.all")


def test_every_page_is_in_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    targets = {(index.parent / link).resolve() for link in links(index.read_text(encoding="utf-8"))}
    assert set((ROOT / "docs").glob("*.md")) - {index} <= targets


def test_the_readme_is_two_screens() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    body = text.split("---\n", 2)[2].strip().splitlines()
    assert len(body) <= LINES
    assert max(map(len, text.splitlines())) <= COLUMNS
    assert len(text.split()) < WORDS


def test_recorded_results_say_which_command_made_them() -> None:
    assert RESULTS
    for path in RESULTS:
        text = path.read_text(encoding="utf-8")
        name = text.splitlines()[0].removeprefix("# ")
        assert f"\n    python -m {name}" in text, path.name
        assert ", Python 3." in text, path.name
