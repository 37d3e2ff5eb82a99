"""The audit of packages fails for a new vulnerability alone, never for want of a network."""

import subprocess
from collections.abc import Sequence

import pytest

from tools.audit import KNOWN, main


@pytest.mark.parametrize(
    ("code", "stderr", "expected", "said"),
    [
        (0, "No known vulnerabilities found", 0, "No known"),
        (1, "Found 2 known vulnerabilities in 1 package", 1, "Found 2"),
        (1, "ERROR:pip_audit._cli:Could not connect to the vulnerability feed", 0, "not audited: ERROR"),
        (1, "No module named pip_audit", 0, "not audited: No module"),
        (1, "", 0, "no reason"),
    ],
)
def test_only_what_was_found_fails(code: int, stderr: str, expected: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        asked.append(command)
        return subprocess.CompletedProcess(command, code, "", stderr)

    assert main(run) == expected
    assert said in capsys.readouterr().out
    assert all(name in asked[0] for name in KNOWN)


def test_packages_that_no_list_knows_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    table = "urllib3 Dependency not found on PyPI and could not be audited: urllib3 (2.8.0)\n"
    assert main(lambda command: subprocess.CompletedProcess(command, 0, table * 3, "No known vulnerabilities found")) == 0
    assert "3 packages were not audited" in capsys.readouterr().out
