"""What the browser loads beside Gradio's own: one script, one style sheet, and what the methods say about themselves."""

import base64
import hashlib
import json
from collections.abc import Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

from app.page.doors import PICTURE_BYTES
from app.render import DIVERGING, SEQUENTIAL, lut
from explainers.method import Choice, Method, Range

STATIC = Path(__file__).parent / "static"
SCRIPTS = ("base", "maps", "picture", "prediction", "toolbar", "panels", "dialogs", "agreement")
SCALE = (
    "Each map is scaled to its own strongest value: colours compare places within one map, not strength between maps. "
    "Where a map has two signs, no colour means nothing, one colour speaks for the class and the other against it."
)
KEYS = (
    "Move over a map to read all maps at the same spot. With the keyboard: Tab reaches a map, arrows move the crosshair, "
    "hold Space for the bare picture, Enter enlarges, Escape closes."
)
ASKS = {"outputs": "its answers to changed pictures", "gradients": "gradients with respect to the picture", "features": "the maps and gradients of a spatial layer"}


@cache
def page_js() -> str:
    """All scripts in order, as one."""
    return "\n".join((STATIC / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)


@cache
def page_css() -> str:
    return (STATIC / "page.css").read_text(encoding="utf-8")


def head(methods: Sequence[Method]) -> str:
    """The page's <head>: addresses change with the files' content, so that browsers may keep them for ever."""
    return (
        f'<meta name="color-scheme" content="light dark">'
        f'<link rel="stylesheet" href="crosscheck/page.css?{_digest(page_css())}">'
        f'<script type="application/json" id="crosscheck-config">{_json(config(methods))}</script>'
        f'<script src="crosscheck/page.js?{_digest(page_js())}"></script>'
    )


def config(methods: Sequence[Method]) -> dict[str, Any]:
    """What does not change while the page runs."""
    tables = {name: base64.b64encode(lut(name).tobytes()).decode() for name in (*SEQUENTIAL, *DIVERGING)}
    return {
        "colours": {"plain": list(SEQUENTIAL), "signed": list(DIVERGING), "titles": {}, "tables": tables},
        "methods": {type(method).__name__: card_of(method) for method in methods},
        "words": {"scale": SCALE, "keys": KEYS},
        "upload": {"bytes": PICTURE_BYTES, "tooLarge": f"The file has {{size}} MB; {PICTURE_BYTES // 1_000_000} MB is the most. Make the picture smaller."},
    }


def card_of(method: Method) -> dict[str, Any]:
    """What a method says about itself, and its parameters as controls."""
    defaults = {field.name: getattr(method, field.name) for field in fields(method)}
    return {
        "title": method.title,
        "about": method.about,
        "formula": method.formula,
        "source": method.source,
        "asks": ASKS[method.asks],
        "fails": method.fails,
        "parameters": [_control(name, bounds, defaults[name]) for name, bounds in method.parameters().items()],
    }


def _control(name: str, bounds: Range | Choice, default: Any) -> dict[str, Any]:
    if isinstance(bounds, Choice):
        return {"name": name, "help": bounds.help, "default": default, "options": list(bounds.options)}
    return {"name": name, "help": bounds.help, "default": default, "low": bounds.low, "high": bounds.high, "step": bounds.step}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _json(value: object) -> str:
    """JSON that cannot end the script element it lies in."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
