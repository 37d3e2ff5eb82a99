"""Whatever the page's server decodes, it decodes in the confined processes; the image libraries of its own process see no file."""

import ast
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from app.options import ServeOptions
from app.page.events import PageEvents
from app.service import cached_answer, example_gallery
from app.service.example_gallery import ExampleGallery
from app.service.inspection_queue import InspectionRequest, _decoded
from app.service.regions import mask_from_file
from app.service.services import Services
from app.service.stores.picture_uploads import UploadedPicture
from errors import UserError
from models.cards.card import Card
from models.images import decoder
from models.sandbox.picture_decoder import decode_picture_confined, shared_picture_decoder
from models.store import bundled_models
from tests.app.page.test_events import PARTS, Somebody
from tests.models.picture_files import png

ROOT = Path(__file__).resolve().parents[2]
PICTURE = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
MASK = np.zeros((60, 80), np.uint8)
MASK[10:40, 20:50] = 255


@pytest.fixture
def no_decoding_here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every way into an image library's decoders is closed in this process, and notes that it was tried."""
    tried: list[str] = []

    def closed(name: str) -> object:
        def refuse(*_: object, **__: object) -> None:
            tried.append(name)
            raise AssertionError(f"{name} was called in the server's process")

        return refuse

    for module, name in ((Image, "open"), (cv2, "imdecode"), (cv2, "imread"), (decoder, "_open")):
        monkeypatch.setattr(module, name, closed(name))
    for cache in (example_gallery._bundled, example_gallery._pictures_in):
        cache.cache_clear()
    return tried


def test_the_guard_itself_notices(no_decoding_here: list[str]) -> None:
    with pytest.raises(AssertionError):
        decoder.decode_picture(png(PICTURE))
    assert no_decoding_here == ["_open"]


def test_pictures_masks_and_examples_of_visitors(no_decoding_here: list[str], tmp_path: Path) -> None:
    data = png(PICTURE)
    np.testing.assert_array_equal(decode_picture_confined(data), PICTURE.astype(np.float32) / 255)
    card = Card.read(bundled_models()["phantoms"].with_suffix(".json"))
    region = mask_from_file(UploadedPicture.of(png(MASK), "m.png"), UploadedPicture.of(data, "p.png"), card)
    assert region.shape == card.size
    assert 0 < region.mean() < 1
    with pytest.raises(UserError, match=r"The mask m\.png cannot be read: This file is a PDF"):
        mask_from_file(UploadedPicture.of(b"%PDF-1.7", "m.png"), UploadedPicture.of(data, "p.png"), card)
    request = InspectionRequest("phantoms", ((UploadedPicture.of(data, "p.png"), ""), (UploadedPicture.of(b"%PDF-1.7", "q.pdf"), "")))
    (found,), (left_out,) = _decoded(request)
    assert found is not None
    assert left_out.startswith("q.pdf is left out. This file is a PDF")
    (tmp_path / "own.png").write_bytes(data)
    assert [each.picture.name for each in ExampleGallery(tmp_path).of("phantoms")][-1] == "own.png"
    assert any(each.evidence is not None for each in ExampleGallery(None).of("phantoms"))
    assert cached_answer.read_cached_answer() is not None
    assert not no_decoding_here
    assert shared_picture_decoder().pids


def test_a_picture_that_a_visitor_chooses(no_decoding_here: list[str]) -> None:
    handlers = PageEvents(Services.build(ServeOptions(queue=2, budget=3600)))
    handlers.components = {name: name for name in PARTS}
    handlers.services.start()
    try:
        anna = Somebody(handlers, "anna")
        anna.pick(png(PICTURE))
        report = anna.session.report
        assert report is not None
        assert report.image is not None
        assert not report.error
    finally:
        handlers.services.close()
    assert not no_decoding_here
    assert not shared_picture_decoder().pids


def test_the_server_imports_no_decoder() -> None:
    """Besides what it hands on: no module of the page or its service opens a picture by itself."""
    wrong = []
    for path in [*(ROOT / "app/service").rglob("*.py"), *(ROOT / "app/page").rglob("*.py")]:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                names = {alias.name for alias in node.names}
                if (node.module == "models.images.decoder" and names & {"decode_picture", "read_picture"}) or node.module == "PIL":
                    wrong.append(f"{path.relative_to(ROOT)} imports {sorted(names)} from {node.module}")
            if isinstance(node, ast.Attribute) and node.attr in ("imdecode", "imread"):
                wrong.append(f"{path.relative_to(ROOT)} uses {node.attr}")
    assert not wrong
