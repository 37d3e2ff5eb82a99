"""Lists that are repainted in place: what stays in the list stays the same element, with its focus."""

from typing import Any

from app.page.assets import static_file_url
from tests.browser.conftest import Open

REPAINT = """async (address) => {
    const { keyedList, make } = await import(new URL(address, document.baseURI));
    const box = document.body.appendChild(make("div")), made = [];
    const show = keyedList(box, {
        key: (entry) => entry.id,
        create: (entry) => { made.push(entry.id); return { node: make("button") }; },
        update: ({ node }, entry) => { node.textContent = entry.text; },
    });
    const paint = (words) => { show([...words].map((id) => ({ id, text: `${id}${words.length}` }))); return box.textContent; };
    const texts = [paint("abc")], b = box.children[1];
    b.focus();
    texts.push(paint("xbcd"));
    const same = box.children[1] === b, focused = document.activeElement === b;
    texts.push(paint("dbx"), paint(""), paint("b"));
    return { texts, same, focused, made: made.join(""), again: box.children[0] !== b };
}"""


def test_a_repainted_list_keeps_what_stays_in_it(open_page: Open) -> None:
    page = open_page()
    found: dict[str, Any] = page.evaluate(REPAINT, static_file_url("lib/dom.js"))
    assert found["texts"] == ["a3b3c3", "x4b4c4d4", "d3b3x3", "", "b1"], "the order of the entries, each with its newest text"
    assert found["same"]
    assert found["focused"]
    assert found["made"] == "abcxdb", "an entry is made once for as long as it is listed"
    assert found["again"], "what has left the list is forgotten"
