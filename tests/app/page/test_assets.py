"""The page's modules: every import is served, and one change of one file changes every address."""

import posixpath
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.page import assets

IMPORT = re.compile(r'^(?:import .*|}) from "([^"]+)";$', re.MULTILINE)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    forget()


def forget() -> None:
    assets.load_static_files.cache_clear()
    assets.static_files_digest.cache_clear()


def test_every_import_is_a_relative_path_to_a_module_that_the_page_preloads() -> None:
    modules = {name for name in assets.load_static_files() if name.endswith(".js")}
    reached, waiting = set(), [name for name in modules if b"export const mount =" in assets.load_static_files()[name].content]
    while waiting:
        name = waiting.pop()
        reached.add(name)
        text = assets.load_static_files()[name].content.decode()
        wanted = IMPORT.findall(text)
        assert len(wanted) == len(re.findall("^import ", text, re.MULTILINE)), "the pattern finds every import"
        assert all(path.startswith(("./", "../")) for path in wanted)
        found = {posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in wanted}
        assert found <= modules
        waiting += found - reached
    assert reached == modules, "every module is a part of the page or imported by one"
    link = assets.preload_link_header().split(", ")
    assert all(f"<{assets.static_file_url(name)}>; rel=modulepreload" in link for name in modules)


@pytest.mark.parametrize("name", ["parts/status.js", "lib/dom.js", "page.css"])
def test_a_change_of_any_file_changes_the_address_of_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    before = assets.static_file_url("lib/maps.js")
    shutil.copytree(assets.STATIC, tmp_path / "static")
    monkeypatch.setattr(assets, "STATIC", tmp_path / "static")
    forget()
    assert assets.static_file_url("lib/maps.js") == before, "the same files have the same address"
    with (tmp_path / "static" / name).open("a") as file:
        file.write("\n")
    forget()
    assert assets.static_file_url("lib/maps.js") != before
