"""What a benchmark prints is kept where --write is given, and nothing else is."""

import sys
from pathlib import Path

import pytest

from app.commands.provenance import git_commit_hash
from benchmarks.shared import results_file
from benchmarks.shared.machine import machine_line
from benchmarks.shared.results_file import run_benchmark
from errors import UserError

TABLE = "| map | energy |\n|---|---|\n| LIME | 0.4 |"


def run(monkeypatch: pytest.MonkeyPatch, folder: Path, *words: str, printed: str = TABLE, status: int = 0) -> int:
    """A benchmark that prints `printed`, called with these words."""

    def main() -> int:
        print(printed)
        return status

    monkeypatch.setattr(results_file, "FOLDER", folder)
    monkeypatch.setattr(sys, "argv", ["truth.py", *words])
    return run_benchmark("truth", main)


def test_what_is_printed_is_kept_under_its_command_commit_and_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "results"
    assert run(monkeypatch, folder, "--write", "--preset", "a b") == 0
    assert capsys.readouterr().out == f"{TABLE}\n"
    text = (folder / "truth.md").read_text()
    assert "    python -m benchmarks.truth --write --preset 'a b'\n" in text
    assert f"commit {git_commit_hash()}, {machine_line()}.\n\n{TABLE}\n" in text
    assert run(monkeypatch, folder, "--write=another", printed="page weight    12 kB") == 0
    assert (folder / "another.md").read_text().endswith("```text\npage weight    12 kB\n```\n")


def test_nothing_is_written_without_the_flag_or_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(monkeypatch, tmp_path) == 0
    assert run(monkeypatch, tmp_path, "--write", status=1) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_leads_elsewhere_is_refused_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, tmp_path, "--write", "../elsewhere") == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("--write is '../elsewhere'; give a name")
    with pytest.raises(UserError, match="letters, digits"):
        results_file.results_file("a/b")
