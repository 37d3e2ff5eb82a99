"""Pictures wait in memory: taken once, dropped when old or too many."""

import pytest

from app.service.stores.picture_uploads import PictureUploads, UploadedPicture
from errors import UserError


def test_a_token_gives_its_picture_once() -> None:
    uploads = PictureUploads()
    token = uploads.put(b"abc", "a.png")
    assert uploads.take(token).data == b"abc"
    with pytest.raises(UserError, match="choose it again"):
        uploads.take(token)


@pytest.mark.parametrize("token", [None, 3, {"path": "/etc/passwd"}, "guess", ["x"]])
def test_what_is_no_token_gives_nothing(token: object) -> None:
    with pytest.raises(UserError):
        PictureUploads().take(token)


def test_the_oldest_is_dropped_when_they_are_too_many_or_too_old() -> None:
    uploads = PictureUploads(max_bytes=100)
    tokens = [uploads.put(bytes(60), "x") for _ in range(3)]
    assert len(uploads) == 1
    assert uploads.take(tokens[-1]).data == bytes(60)
    old = PictureUploads(max_seconds=0)
    old.put(b"x", "x")
    assert len(old) == 0


def test_pictures_are_equal_where_their_bytes_are() -> None:
    assert UploadedPicture.of(b"x", "mine") == UploadedPicture.of(b"x", "yours")
    assert UploadedPicture.of(b"x", "a") != UploadedPicture.of(b"y", "a")
