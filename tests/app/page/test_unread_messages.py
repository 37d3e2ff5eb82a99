"""A page that does not read what it is answered may not send ever more events, and what a page has left unread goes with it."""

import asyncio
from collections.abc import Iterator

import gradio as gr
import pytest
from gradio.state_holder import StateHolder

from app.page.unread_messages import UnreadMessages
from app.service import limits
from benchmarks.attack_parts.client import Gone, Guest
from tests.serving import Server, Visitor, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


def test_a_page_that_reads_nothing_is_told_to(server: Server) -> None:
    deaf = Guest(server)
    for _ in range(limits.UNREAD_MESSAGES_SMALL // 3):
        deaf.send("explain", "click")

    def send_many() -> None:
        for _ in range(3 * limits.UNREAD_MESSAGES_PER_SESSION):
            deaf.send("explain", "click")

    with pytest.raises(Gone, match="Many answers wait for this page to read them"):
        send_many()
    assert Visitor(server).do("page", "load")["success"], "others are served"


def test_what_was_left_unread_goes_with_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    asyncio.run(left_unread(monkeypatch))


async def left_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    with gr.Blocks() as blocks:
        gr.Button()
    queue, unread = blocks.queue()._queue, UnreadMessages(blocks)
    for name, count in (("gone", 9), ("here", 9), ("late", 1)):
        queue.pending_messages_per_session[name] = asyncio.Queue()
        queue.pending_event_ids_session[name] = {f"event of {name}"}
        queue.event_ids_to_events[f"event of {name}"] = object()
        for number in range(count):
            queue.pending_messages_per_session[name].put_nowait(number)
    assert not unread.too_many("gone")
    monkeypatch.setattr(limits, "UNREAD_MESSAGES", 18)
    assert [unread.too_many(name) for name in ("gone", "late", "nobody")] == [True, False, False], "all together have too many"
    for _ in range(2):
        unread.sweep(lambda name: name == "here")
    assert list(queue.pending_messages_per_session) == ["here"]
    assert list(queue.pending_event_ids_session) == ["here"]
    assert list(queue.event_ids_to_events) == ["event of here"]
    holder = StateHolder()
    holder.set_blocks(blocks)
    assert holder.capacity == limits.GRADIO_SESSIONS
    for name in ("gone", "here", "refused"):
        assert holder[name].config_values
    unread.forget("gone")
    assert list(holder.session_data) == ["here", "refused"], "the values that a page has shown go with it"
    for _ in range(2):
        unread.sweep(lambda name: name == "here")
    assert list(holder.session_data) == list(holder.time_last_used) == ["here"]
