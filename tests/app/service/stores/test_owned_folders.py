"""What a killed server leaves is deleted by the next; what is in use, or anybody else's, is not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.service.stores import owned_folders
from app.service.stores.owned_folders import OWNER, OwnedFolder, delete_orphaned_folders
from tests.patience import PATIENCE


def test_the_folders_of_a_killed_process_go_and_others_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owned_folders.tempfile, "tempdir", str(tmp_path))
    program = (
        "from app.service.stores.owned_folders import OwnedFolder; f = OwnedFolder(); (f.path / 'm.keras').write_bytes(b'x'); "
        "print(f.path, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as killed:
        assert killed.stdout
        left = Path(killed.stdout.readline().strip())
        mine = OwnedFolder()
        assert delete_orphaned_folders() == 0, "both processes are there"
        killed.kill()
        killed.wait(PATIENCE)
    assert (left / "m.keras").exists()
    assert delete_orphaned_folders() == 1
    assert not left.exists()
    assert mine.path.exists()
    mine.remove()
    assert not mine.path.exists()


def test_a_number_that_another_process_has_by_now_does_not_protect_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "crosscheck-old"
    folder.mkdir()
    (folder / OWNER).write_text(f"{os.getpid()} 1")
    assert delete_orphaned_folders(tmp_path) == (1 if Path("/proc/self/stat").exists() else 0)


@pytest.mark.parametrize("note", [None, "", "x", "1 2 3", "9" * 5000, "-1 0", "0 0"])
def test_what_this_program_did_not_make_stays(tmp_path: Path, note: str | None) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "crosscheck-link").symlink_to(tmp_path / "elsewhere")
    folder = tmp_path / "crosscheck-theirs"
    folder.mkdir()
    if note is not None:
        (folder / OWNER).write_text(note)
    (tmp_path / "crosscheck-file").write_text("x")
    assert delete_orphaned_folders(tmp_path) == 0
    assert folder.exists()
    assert (tmp_path / "elsewhere").exists()
