"""A full store refuses newcomers and keeps those who are active."""

import time

import pytest

from app.service.request import ExplanationRequest
from app.service.session import SessionStore
from app.service.stores import expiring_store
from app.service.stores.picture_uploads import PictureUploads, UploadedPicture
from errors import UserError


def test_invented_names_end_nobody_s_session() -> None:
    sessions = SessionStore(max_sessions=100, per_address=40)
    victim = sessions.of("victim", "192.0.2.1")
    refused = [sessions.of(f"invented {number}", "198.51.100.1").refused for number in range(600)]
    assert sum(not each for each in refused) == 40
    assert "from your address" in refused[-1]
    assert sessions.of("victim", "192.0.2.1") is victim
    assert not sessions.of("newcomer", "192.0.2.2").refused
    for number in range(600):
        sessions.of(f"from everywhere {number}", f"203.0.113.{number % 200}")
    assert sessions.of("victim") is victim
    late = sessions.of("late", "192.0.2.3")
    assert "The page is full" in late.refused
    assert not sessions.present("late")
    assert len(sessions) == 100


def test_whoever_rests_makes_room_and_whoever_is_painted_for_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(expiring_store.time, "monotonic", lambda: now[0])
    sessions = SessionStore(max_sessions=2, grace_seconds=10)
    sessions.of("painted").painting = 1
    sessions.of("rests")
    now[0] = 9
    assert sessions.of("new").refused
    now[0] = 11
    assert not sessions.of("new").refused
    assert sessions.present("painted")
    assert not sessions.present("rests")


def test_whoever_has_the_most_pictures_gives_way() -> None:
    sessions = SessionStore(max_picture_bytes=100)
    for name, address, size in (("old", "a", 30), ("greedy", "b", 40), ("greedy again", "b", 40)):
        picture = UploadedPicture.of(name.encode().ljust(size), name)
        sessions.of(name, address).request = ExplanationRequest("phantoms", picture, ())
    sessions.evict()
    assert sessions.present("old")
    assert not sessions.present("greedy")
    assert sessions.present("greedy again")


def test_one_address_drops_its_own_waiting_pictures() -> None:
    uploads = PictureUploads(max_bytes=200, max_bytes_per_owner=100, max_count_per_owner=3)
    victim = uploads.put(bytes(60), "v", "a")
    tokens = [uploads.put(bytes(60), "x", "b") for _ in range(5)]
    small = [uploads.put(b"x", "x", "c") for _ in range(5)]
    assert uploads.take(victim).name == "v"
    assert uploads.take(tokens[-1]).name == "x"
    for token in (*tokens[:-1], *small[:2]):
        with pytest.raises(UserError):
            uploads.take(token)
    assert uploads.take(small[2]).data == b"x"


def test_an_event_from_before_its_visitor_left_begins_no_session() -> None:
    sessions = SessionStore()
    before = time.monotonic()
    sessions.leave("gone")  # the page was closed before its first event was read
    assert "was closed" in sessions.of("gone", received=before).refused
    assert not sessions.present("gone")
    assert not sessions.of("gone", received=time.monotonic()).refused, "a page that connects again is a visitor again"
    sessions.drop("gone")
    assert not sessions.of("gone", received=time.monotonic()).refused
