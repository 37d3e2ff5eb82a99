"""Models that visitors bring: who sees them, when they go, and what is left then."""

import os
from pathlib import Path
from threading import Lock, Thread

import numpy as np
import pytest

from app.service import limits
from app.service.classifier_registry import UNPROTECTED, ClassifierRegistry, _check_size
from app.service.limits import MAX_MODELS, MODELS_PER_ADDRESS
from app.service.stores.model_uploads import ModelUploads
from errors import UserError
from models.sandbox import landlock
from models.sandbox.confinement import SandboxProtection
from models.store import bundled_models
from tests.patience import until

needs_landlock = pytest.mark.skipif(not landlock.landlock_version(), reason="this kernel has no Landlock")


def bring(uploads: ModelUploads, content: bytes, name: str = "Their model.keras") -> str:
    token, file = uploads.reserve(name)
    file.write_bytes(content)
    return token


@needs_landlock
def test_a_model_that_was_brought_answers_and_goes_with_its_owner() -> None:
    here = {"anna"}
    registry = ClassifierRegistry(["glass_box"], trust=True)
    uploads = ModelUploads(registry, lambda owner: owner in here)
    token = bring(uploads, bundled_models()["glass_box"].read_bytes())
    assert list(registry.entries) == ["glass_box"]
    name = uploads.claim(token, "anna")
    assert (uploads.of("anna"), uploads.of("bert"), uploads.of("")) == ([name], [], [])
    with pytest.raises(UserError, match="no longer here"):
        uploads.claim(token, "bert")
    assert registry.entry(name).title == "Their model"
    assert registry.source(name)[:2] == (uploads._models[token].file, False)
    served = registry.get(name)
    assert served.protected
    assert "process of its own" in served.card.notes[-1]
    assert served.predict(np.full((*served.size, 3), 0.5, np.float32)).shape == (4,)
    process, folder = served._supervisor.pid, uploads._models[token].file.parent
    here.clear()
    uploads.evict()
    assert list(registry.entries) == ["glass_box"]
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_what_is_no_model_gets_its_sentence_and_what_nobody_claims_goes() -> None:
    registry = ClassifierRegistry(["glass_box"])
    uploads = ModelUploads(registry)
    for name in ("picture.png", "", "../../etc/passwd", "m.keras/"):
        with pytest.raises(UserError, match="no model file by its name"):
            uploads.reserve(name if name != "m.keras/" else "keras")
    name = uploads.claim(bring(uploads, b"<!doctype html>"), "anna")
    with pytest.raises(UserError, match="a web page"):
        registry.get(name)
    _, beside = uploads.reserve("../../../x/evil name!.h5")
    assert beside.name == "evil name.h5"
    for _ in range(MAX_MODELS - 1):
        uploads.reserve("a.h5")
    assert name not in registry.entries, "what could not be opened gave way"
    with pytest.raises(UserError, match=f"{MAX_MODELS} models of visitors are here already"):
        uploads.reserve("a.h5")
    with pytest.raises(UserError, match="no longer here"):
        uploads.claim("brought-guess", "anna")
    folders = [model.folder.path for model in uploads._models.values()]
    uploads.close()
    assert not any(folder.exists() for folder in folders)
    assert uploads.of("anna") == []


def test_a_model_that_was_brought_is_refused_where_its_process_is_not_shut_in() -> None:
    """A bundled classifier runs in this process, whoever asks for it, and so stands for one that could reach everything."""
    registry = ClassifierRegistry(["glass_box"])
    registry.add("theirs", Path("glass_box"))
    with pytest.raises(UserError, match="cannot keep the model that you brought"):
        registry.get("theirs")
    with pytest.raises(UserError, match="cannot keep the model that you brought"):
        registry.source("theirs")
    assert (registry.entry("theirs").state, registry.entry("theirs").error) == ("failed", UNPROTECTED)
    assert [SandboxProtection(*each).whole for each in ((7, True), (7, False), (0, True), (0, False))] == [True, False, False, False]


class Watched:
    """A lock that counts who came to it, let in or not."""

    def __init__(self) -> None:
        self.came, self.lock = 0, Lock()

    def __enter__(self) -> None:
        self.came += 1
        self.lock.acquire()

    def __exit__(self, *_: object) -> None:
        self.lock.release()


def test_a_model_dropped_while_it_is_claimed_is_not_on_offer() -> None:
    class Slow(ClassifierRegistry):
        """Somebody drops the model just as it is to be offered."""

        def add(self, name: str, file: Path) -> None:
            before = lock.came
            dropping.start()
            until(lambda: lock.came > before or not dropping.is_alive())
            super().add(name, file)

    registry = Slow(["glass_box"])
    uploads = ModelUploads(registry)
    token = bring(uploads, b"PK")
    uploads._lock = lock = Watched()
    dropping = Thread(target=uploads.remove, args=(token,))
    uploads.claim(token, "anna")
    dropping.join()
    assert list(registry.entries) == ["glass_box"]


def test_one_address_leaves_a_place_for_others_and_a_session_keeps_one_model() -> None:
    registry = ClassifierRegistry(["glass_box"])
    uploads = ModelUploads(registry)
    for _ in range(MODELS_PER_ADDRESS):
        uploads.reserve("half sent.h5", "192.0.2.1")
    with pytest.raises(UserError, match="from your address are here already"):
        uploads.reserve("a.h5", "192.0.2.1")
    first, second = (uploads.reserve("a.h5", "192.0.2.2") for _ in range(2))
    assert len(uploads._models) == MAX_MODELS, "the second takes the place of one that is half sent"
    for token, file in (first, second):
        file.write_bytes(b"x")
        uploads.arrived(token)
        uploads.claim(token, "bert")
    assert uploads.of("bert") == [second[0]]
    assert not first[1].parent.exists()
    uploads.close()


def test_a_model_that_made_room_is_not_claimed_by_whoever_still_sends_it() -> None:
    uploads = ModelUploads(ClassifierRegistry(["glass_box"]))
    half, file = uploads.reserve("a.h5", "192.0.2.1")
    uploads.reserve("b.h5", "192.0.2.1")
    uploads.reserve("c.h5", "192.0.2.2")
    uploads.reserve("d.h5", "192.0.2.3")
    assert not file.parent.exists()
    with pytest.raises(UserError, match="made room"):
        uploads.arrived(half)
    with pytest.raises(UserError, match="3 models of visitors are here already"):
        uploads.reserve("e.h5", "192.0.2.4")
    uploads.close()


def test_no_sentence_names_a_folder_of_the_server(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.keras"
    damaged.write_bytes(b"PK no archive")
    for name in (str(damaged), str(tmp_path / "missing.keras")):
        registry = ClassifierRegistry(["glass_box", name])
        assert list(registry.entries) == ["glass_box", "model-2"]
        with pytest.raises(UserError) as refused:
            registry.get("model-2")
        assert str(tmp_path) not in str(refused.value)
        assert Path(name).name in str(refused.value)


def test_a_model_whose_visitor_rests_makes_room_for_another_address_alone() -> None:
    rested = {"anna": 30.0, "ben": limits.SESSION_GRACE_SECONDS + 1, "cleo": limits.SESSION_GRACE_SECONDS - 1}
    uploads = ModelUploads(ClassifierRegistry(["glass_box"]), rested=lambda owner: rested[owner])
    for number, owner in enumerate(rested):
        token, file = uploads.reserve("a.h5", f"192.0.2.{number}")
        file.write_bytes(b"PK")
        uploads.arrived(token)
        uploads.claim(token, owner)
    uploads.reserve("b.h5", "192.0.2.9")
    assert [len(uploads.of(owner)) for owner in rested] == [1, 0, 1]
    with pytest.raises(UserError, match="3 models of visitors are here already"):
        uploads.reserve("c.h5", "192.0.2.10")
    uploads.close()


def test_a_model_of_very_large_pictures_is_refused_where_a_visitor_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UPLOADED_PIXELS", 64 * 64 - 1)
    refused = SandboxedLike((64, 64))
    with pytest.raises(UserError, match=r"m.keras takes pictures of 64 x 64 pixels; .* are the most here"):
        _check_size(refused, "m.keras")
    assert refused.closed
    _check_size(SandboxedLike((63, 63)), "m.keras")


class SandboxedLike:
    """What is checked of a classifier that was brought."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size, self.closed = size, False

    def close(self) -> None:
        self.closed = True
