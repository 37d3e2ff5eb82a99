"""Models that visitors bring: who sees them, when they go, and what is left then."""

import os
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from app.service.classifier_registry import UNPROTECTED, ClassifierRegistry
from app.service.model_uploads import MOST, ModelUploads
from errors import UserError
from models.sandbox import landlock
from models.sandbox.confinement import Protection
from models.store import bundled

needs_landlock = pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")


def bring(brought: ModelUploads, content: bytes, name: str = "Their model.keras") -> str:
    token, file = brought.room(name)
    file.write_bytes(content)
    return token


@needs_landlock
def test_a_model_that_was_brought_answers_and_goes_with_its_owner() -> None:
    here = {"anna"}
    shelf = ClassifierRegistry(["glass_box"], trust=True)
    brought = ModelUploads(shelf, lambda owner: owner in here)
    token = bring(brought, bundled()["glass_box"].read_bytes())
    assert list(shelf.entries) == ["glass_box"]
    name = brought.claim(token, "anna")
    assert (brought.of("anna"), brought.of("bert"), brought.of("")) == ([name], [], [])
    with pytest.raises(UserError, match="no longer here"):
        brought.claim(token, "bert")
    assert shelf.entry(name).title == "Their model"
    assert shelf.source(name) == (brought._guests[token].file, False)
    served = shelf.get(name)
    assert served.protected
    assert "process of its own" in served.card.notes[-1]
    assert served.predict(np.full((*served.size, 3), 0.5, np.float32)).shape == (4,)
    process, folder = served._keeper.pid, brought._guests[token].file.parent
    here.clear()
    brought.forget()
    assert list(shelf.entries) == ["glass_box"]
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_what_is_no_model_gets_its_sentence_and_what_nobody_claims_goes() -> None:
    shelf = ClassifierRegistry(["glass_box"])
    brought = ModelUploads(shelf)
    for name in ("picture.png", "", "../../etc/passwd", "m.keras/"):
        with pytest.raises(UserError, match="no model file by its name"):
            brought.room(name if name != "m.keras/" else "keras")
    name = brought.claim(bring(brought, b"<!doctype html>"), "anna")
    with pytest.raises(UserError, match="a web page"):
        shelf.get(name)
    _, beside = brought.room("../../../x/evil name!.h5")
    assert beside.name == "evil name.h5"
    for _ in range(MOST - 1):
        brought.room("a.h5")
    assert name not in shelf.entries, "what could not be opened gave way"
    with pytest.raises(UserError, match=f"{MOST} models of visitors are here already"):
        brought.room("a.h5")
    with pytest.raises(UserError, match="no longer here"):
        brought.claim("brought-guess", "anna")
    folders = [Path(guest.folder.name) for guest in brought._guests.values()]
    brought.close()
    assert not any(folder.exists() for folder in folders)
    assert brought.of("anna") == []


def test_a_model_that_was_brought_is_refused_where_its_process_is_not_shut_in() -> None:
    """A bundled classifier runs in this process, whoever asks for it, and so stands for one that could reach everything."""
    shelf = ClassifierRegistry(["glass_box"])
    shelf.add("theirs", Path("glass_box"))
    with pytest.raises(UserError, match="cannot keep the model that you brought"):
        shelf.get("theirs")
    with pytest.raises(UserError, match="cannot keep the model that you brought"):
        shelf.source("theirs")
    assert (shelf.entry("theirs").state, shelf.entry("theirs").error) == ("failed", UNPROTECTED)
    assert [Protection(*each).whole for each in ((7, True), (7, False), (0, True), (0, False))] == [True, False, False, False]


def test_a_model_dropped_while_it_is_claimed_is_not_on_offer() -> None:
    class Slow(ClassifierRegistry):
        """Somebody drops the model just as it is to be offered."""

        def add(self, name: str, file: Path) -> None:
            dropping.start()
            dropping.join(0.3)
            super().add(name, file)

    shelf = Slow(["glass_box"])
    brought = ModelUploads(shelf)
    token = bring(brought, b"PK")
    dropping = Thread(target=brought.drop, args=(token,))
    brought.claim(token, "anna")
    dropping.join()
    assert list(shelf.entries) == ["glass_box"]
