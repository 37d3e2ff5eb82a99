"""What is replaced has reached the disk before, and its name after; a kill in between leaves the old or the new, whole."""

import os
from pathlib import Path

import pytest

from models.output.atomic_files import atomic_directory, atomic_file, rename_durably, replace_durably


@pytest.fixture
def events(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """In order: what was synchronised, by its name then, and what was renamed."""
    found: list[str] = []
    sync, replace, rename = os.fsync, Path.replace, Path.rename

    def synced(descriptor: int) -> None:
        found.append(f"sync {Path(os.readlink(f'/proc/self/fd/{descriptor}')).name}")
        sync(descriptor)

    def moved(action: str, how: object) -> object:
        def move(path: Path, target: Path) -> Path:
            found.append(f"{action} {Path(target).name}")
            return how(path, target)  # type: ignore[operator, no-any-return]

        return move

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", moved("replace", replace))
    monkeypatch.setattr(Path, "rename", moved("rename", rename))
    return found


def test_files_reach_the_disk_before_the_first_is_put_in_place_and_the_folder_after(tmp_path: Path, events: list[str]) -> None:
    for name in ("a", "b", "new a", "new b"):
        (tmp_path / name).write_text(name)
    replace_durably((tmp_path / "new a", tmp_path / "a"), (tmp_path / "new b", tmp_path / "b"))
    assert events == ["sync new a", "sync new b", "replace a", "replace b", f"sync {tmp_path.name}"]
    assert [(tmp_path / name).read_text() for name in ("a", "b")] == ["new a", "new b"]


def test_a_folder_reaches_the_disk_with_all_that_is_in_it(tmp_path: Path, events: list[str]) -> None:
    (tmp_path / "made" / "inner").mkdir(parents=True)
    (tmp_path / "made" / "inner" / "file").write_text("x")
    rename_durably(tmp_path / "made", tmp_path / "out")
    before, after = events[: events.index("rename out")], events[events.index("rename out") + 1 :]
    assert set(before) == {"sync made", "sync inner", "sync file"}
    assert after == [f"sync {tmp_path.name}"]
    assert (tmp_path / "out" / "inner" / "file").read_text() == "x"


def test_one_file_and_one_folder_go_the_same_way(tmp_path: Path, events: list[str]) -> None:
    with atomic_file(tmp_path / "file") as file:
        file.write(b"x")
    assert events[-2:] == ["replace file", f"sync {tmp_path.name}"]
    assert events[0].startswith("sync .file.")
    with atomic_directory(tmp_path / "out") as folder:
        (folder / "inner").write_text("x")
    assert events[-2:] == ["rename out", f"sync {tmp_path.name}"]
    assert sorted(os.listdir(tmp_path)) == ["file", "out"]


def test_what_goes_wrong_leaves_the_old_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("old")
    with pytest.raises(TypeError), atomic_file(tmp_path / "file") as file:
        file.writelines([b"half", "no bytes"])  # type: ignore[list-item]
    assert os.listdir(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "old"
