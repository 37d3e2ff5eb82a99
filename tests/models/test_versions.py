"""Versions of a model: whole or not there, never overwritten, and opened by the folder's name."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from errors import UserError
from models.cards.card import Card, ClassLabel, file_sha256
from models.loading import find_model_file
from models.versions import LATEST, create_version, latest_version_folder, list_model_versions, main
from tests.patience import PATIENCE

ROOT = Path(__file__).resolve().parents[2]


def keep(folder: Path, content: bytes) -> None:
    with create_version(folder) as made:
        (made / "net.keras").write_bytes(content)


def test_each_version_gets_a_number_and_says_what_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "net"
    for content in (b"one", b"two"):
        keep(folder, content)
    first, second = list_model_versions(folder)
    assert (first.version, second.version) == ("v1", "v2")
    assert first.name == "net"
    assert second.sha256 == file_sha256(folder / "v2" / "net.keras")
    assert second.date.endswith("+00:00")
    assert latest_version_folder(folder) == folder / "v2"
    assert (folder / "v1" / "net.keras").read_bytes() == b"one"
    assert sorted(path.name for path in folder.iterdir()) == ["latest.json", "v1", "v2"]


def test_what_comes_in_between_leaves_nothing(tmp_path: Path) -> None:
    keep(tmp_path, b"one")
    with pytest.raises(TypeError), create_version(tmp_path) as made:
        (made / "net.keras").write_bytes("half")  # type: ignore[arg-type]
    with pytest.raises(UserError, match=r"one \.keras or \.h5 file; found: none"), create_version(tmp_path) as made:
        (made / "notes.txt").write_text("no model")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest.json", "v1"]


def test_a_killed_writer_leaves_the_latest_as_it_was_and_the_next_sweeps_up(tmp_path: Path) -> None:
    keep(tmp_path, b"one")
    dying = "import os, sys; from pathlib import Path; from models.versions import create_version\n"
    dying += "with create_version(Path(sys.argv[1])) as made: (made / 'net.keras').write_bytes(b'x'); os._exit(9)"
    assert subprocess.run([sys.executable, "-c", dying, str(tmp_path)], cwd=ROOT, timeout=PATIENCE).returncode == 9
    assert latest_version_folder(tmp_path) == tmp_path / "v1"
    assert len(list(tmp_path.iterdir())) == 3
    keep(tmp_path, b"two")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest.json", "v1", "v2"]


def test_two_at_once_become_two_versions(tmp_path: Path) -> None:
    with create_version(tmp_path) as slow:
        (slow / "net.keras").write_bytes(b"slow")
        keep(tmp_path, b"quick")
    assert (tmp_path / "v1" / "net.keras").read_bytes() == b"quick"
    assert (tmp_path / "v2" / "net.keras").read_bytes() == b"slow"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"version": "v9"}', '{"version": "../v1"}'])
def test_without_a_readable_latest_the_highest_is_it(tmp_path: Path, content: str) -> None:
    for number in range(10):
        keep(tmp_path, bytes([number]))
    (tmp_path / "v9" / "version.json").unlink()
    (tmp_path / LATEST).write_text(content)
    assert latest_version_folder(tmp_path) == tmp_path / "v10"


def test_latest_may_be_set_back(tmp_path: Path) -> None:
    keep(tmp_path, b"one")
    keep(tmp_path, b"two")
    (tmp_path / LATEST).write_text(json.dumps({"version": "v1"}))
    assert find_model_file(tmp_path) == tmp_path / "v1" / "net.keras"


def test_the_folder_opens_as_its_latest_version(tmp_path: Path) -> None:
    from benchmarks.zoo_parts.models import topologies
    from models.loading import load_classifier

    for names in (("a", "b", "c"), ("d", "e", "f")):
        with create_version(tmp_path / "net") as made:
            topologies.sequential().save(made / "net.keras")
            Card("net", tuple(map(ClassLabel, names)), (24, 24), sha256=file_sha256(made / "net.keras")).write(made / "net.json")
    assert load_classifier(tmp_path / "net").labels == ("d", "e", "f")
    assert load_classifier(tmp_path / "net" / "v1").labels == ("a", "b", "c")


def test_listing_and_its_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep(tmp_path, b"one")
    keep(tmp_path, b"two")
    assert main([str(tmp_path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].split()[0] == "v2"
    assert lines[1].endswith("net  latest")
    (tmp_path / "v1" / "version.json").write_text("{}")
    assert main([str(tmp_path)]) == 2
    assert "no whole version" in capsys.readouterr().err
    assert main([os.fspath(tmp_path / "absent")]) == 2
    assert "holds no versions" in capsys.readouterr().err
