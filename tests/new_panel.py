"""A new panel of the page, added to a copy of the program as CONTRIBUTING says: a view, a part's script and one line."""

import shutil
from pathlib import Path

from tests.serving import ROOT

VIEW = '''"""How many maps there are."""

from typing import Any

from app.page.views.page_state import PageState


def map_count(state: PageState) -> dict[str, Any]:
    """A sentence."""
    assert state.report is not None
    return {"sentence": f"{len(state.report.results)} maps so far."}
'''
SCRIPT = """/** How many maps there are. */

import { mountPart } from "../lib/channel.js";
import { button, make, setText } from "../lib/dom.js";

/** @import { Gradio, Value } from "../types" */
/** @typedef {Value & { sentence?: string }} MapCountValue */

/** @param {Gradio<MapCountValue>} gradio */
export const mount = (gradio) => {
  const sentence = make("p", { class: "cc-map-count" });
  const again = button("Explain again", null, () => gradio.trigger("again", {}));
  gradio.element.replaceChildren(sentence, again);
  mountPart(gradio, (value) => setText(sentence, value.sentence ?? "No maps."));
};
"""
LINE = 'PagePart("map_count", map_count, events={"again": "explain"}),'


def copy_with_panel(folder: Path) -> Path:
    """The root of the copy."""
    root = folder / "copy"
    for name in ("app", "examples", "explainers", "models"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("errors.py", "image_batches.py", "plain_arrays.py", "plain_files.py", "tsconfig.json"):
        shutil.copy2(ROOT / name, root)
    (root / "app/page/views/map_count.py").write_text(VIEW, encoding="utf-8")
    (root / "app/page/static/parts/map_count.js").write_text(SCRIPT, encoding="utf-8")
    parts = root / "app/page/page_parts.py"
    text = parts.read_text(encoding="utf-8")
    assert text.count("PARTS = (\n") == 1
    text = text.replace("PARTS = (\n", f"from app.page.views.map_count import map_count\n\nPARTS = (\n    {LINE}\n")
    parts.write_text(text, encoding="utf-8")
    return root
