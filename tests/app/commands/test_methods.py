"""What the README and docs/ say that the code knows better is taken from the code."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from app.commands import metrics
from app.commands.methods import BEGIN, END, markdown_method_table, write_method_table
from errors import UserError
from models.cards.card import Card
from models.store import bundled_models
from tests.test_requirements import pinned
from tools.imports import ROOT


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_table_of_methods_is_current() -> None:
    assert f"{BEGIN}\n\n{markdown_method_table()}\n\n{END}" in page("docs/methods.md"), "run: python -m app methods --write docs/methods.md"


def test_the_table_of_metrics_is_current() -> None:
    table = f"{metrics.BEGIN}\n\n{metrics.markdown_metric_table()}\n\n{metrics.END}"
    assert table in page("docs/metrics.md"), "run: python -m app metrics --write docs/metrics.md"


def test_every_bundled_classifier_and_every_field_of_a_card_is_named() -> None:
    text = page("docs/models.md")
    section = "".join(text.split(f"## {title}")[1].split("\n## ")[0] for title in ("Bundled classifiers", "Cards"))
    rows = [re.findall(r"`(\w+)`", line.split("|")[1]) for line in section.splitlines() if line.startswith("| `") and "--model" not in line]
    named = {name for row in rows for name in row}
    assert named == {*bundled_models(), *(field.name for field in fields(Card))}


def test_every_measures_paper_is_named() -> None:
    section = page("docs/metrics.md").split("## The metrics")[1].split("\n## ")[0]
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "explainers" / "metrics").rglob("*.py")]
    papers = {paper for text in sources for paper in re.findall(r"arXiv:(\d{4}\.\d{5})", text)} - {"1808.09011"}
    assert len(papers) > 8
    assert papers <= set(re.findall(r"arXiv:(\d{4}\.\d{5})", section)), "1808.09011 combines p-values, and measures nothing"


def test_every_dependency_has_its_line() -> None:
    section = page("docs/architecture.md").split("## Dependencies")[1].split("##")[0]
    assert re.findall(r"^\| ([\w-]+) \|", section.replace("| package |", ""), re.MULTILINE) == [
        line.split("==")[0] for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if "==" in line
    ]


def test_the_space_runs_on_the_pinned_gradio() -> None:
    front = page("README.md").split("---")[1]
    assert f"sdk_version: {pinned('requirements.txt')['gradio']}" in front
    assert (ROOT / re.search(r"app_file: (\S+)", front)[1]).is_file()  # type: ignore[index]
    assert len(re.search(r"short_description: (.+)", front)[1]) <= 60  # type: ignore[index]


def test_writing_the_table_needs_its_marks(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    file.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_method_table(file)
    assert file.read_text() == f"before\n{BEGIN}\n\n{markdown_method_table()}\n\n{END}\nafter\n"
    file.write_text("no marks")
    with pytest.raises(UserError, match="put them where the table belongs"):
        write_method_table(file)
