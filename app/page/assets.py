"""The page's own static files: modules, a style sheet, and the descriptions of the methods."""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from app import rendering
from app.page.views.alt_text import FAMILIES, FAMILY_HELP
from app.rendering import DIVERGING, SCALE_RULE, SEQUENTIAL, colour_lookup_table
from app.service.limits import MODEL_BYTES, PICTURE_BYTES
from explainers.method import Method, ParameterChoice, ParameterRange
from models.formats.format_registry import ACCEPTED_UPLOADS, UPLOAD_SUFFIXES

STATIC = Path(__file__).parent / "static"
MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css"}
KEYS = (
    "Touch a map or move over it to read all maps at the same spot. With the keyboard: Tab reaches a map, arrows move the crosshair, "
    "hold Space for the bare picture, Enter enlarges, Escape closes."
)
GLOSSARY = (
    (
        "Evaluation",
        "One picture, mostly a changed one, shown to the classifier to see what it answers. Many take time.",
    ),
    ("Shared", "An evaluation that another method had already paid for; its answer is used again."),
    ("Converged", "The map hardly changes when it is made again or with more evaluations. That makes it exact, not true."),
    ("Not converged", "Made again, the map may look different; choose Thorough for more evaluations."),
    *((words.capitalize(), FAMILY_HELP[family].split(": ", 1)[1].capitalize()) for family, words in FAMILIES.items()),
    ("Rather than", "With a second class, the maps show what speaks for the first class and against the second."),
    ("Consensus", "What the families of methods have in common; each family counts once."),
    ("Chance", "What the maps of unrelated pictures have in common too, because methods have habits, such as the centre or edges."),
)
TITLES = {
    "bright": "bright is strong (default)",
    "bright_signed": "bright is strong: cool against, warm for (default)",
    "inferno": "inferno (dark to yellow)",
    "viridis": "viridis (purple to yellow)",
    "cividis": "cividis (blue to yellow)",
    "RdBu_r": "blue against, red for",
    "PuOr_r": "purple against, orange for",
    "coolwarm": "pale blue against, pale red for",
}
ASKS = {
    "outputs": "its answers to changed pictures",
    "gradients": "gradients with respect to the picture",
    "features": "the maps and gradients of a spatial layer",
}

COSTS = {
    "outputs": "One pass through the classifier for each changed picture; the panel counts them, "
    "and those that other methods had already paid for.",
    "gradients": "One pass forward and one back for each step on the way from the baseline to the picture.",
    "features": "One pass forward and one back; methods of this family share it.",
}
CONSENSUS = {
    "title": "Consensus",
    "about": "The places that the families of methods have in common, on a coarse grid. "
    "Each family counts once, so that methods which ask nearly the same question do not outvote the others.",
    "formula": "exp(mean over families of log(P + 0.0001/G²)), normalised",
    "source": "Geometric mean of the families' shares of evidence P on G × G cells",
    "asks": "nothing; it is made of the maps",
    "costs": "Nothing.",
    "fails": "Methods can agree and all be wrong: a consensus says what explanations share, not what is true.",
    "parameters": [],
}

VOTES = {
    "title": "Family votes",
    "about": "How many families of methods have a place among their strongest tenth, on a coarse grid. "
    "Grad-CAM and its kin are one family, LIME and SHAP another: they ask nearly the same question, so they vote together.",
    "formula": "number of families f with the cell among the strongest 10 % of P_f",
    "source": "The families' mean shares of evidence P_f on G × G cells",
    "asks": "nothing; it is made of the maps",
    "costs": "Nothing.",
    "fails": "Families can choose the same place by habit, such as the centre, or because the classifier is wrong.",
    "parameters": [],
}


@dataclass(frozen=True)
class StaticFile:
    """A served file, plain and compressed."""

    media_type: str
    content: bytes
    gzipped: bytes


@cache
def load_static_files() -> dict[str, StaticFile]:
    """Path below static/ -> file, read once; nothing else is served from there."""
    paths = sorted(path for path in STATIC.rglob("*") if path.suffix in MEDIA_TYPES)
    return {path.relative_to(STATIC).as_posix(): _read(path) for path in paths}


def _read(path: Path) -> StaticFile:
    content = path.read_bytes()
    return StaticFile(MEDIA_TYPES[path.suffix], content, gzip.compress(content, mtime=0))


@cache
def static_files_digest() -> str:
    """A digest of all files together, part of their URLs, so that browsers may cache them forever.

    The modules import each other by relative paths, so all come from the same version.
    """
    contents = "".join(f"{name} {hashlib.sha256(file.content).hexdigest()}\n" for name, file in load_static_files().items())
    return hashlib.sha256(contents.encode()).hexdigest()[:12]


def static_file_url(name: str) -> str:
    """The URL of a file, relative to the page."""
    return f"crosscheck/{static_files_digest()}/{name}"


def preload_link_header() -> str:
    """The Link header of the page, by which a browser preloads all files before the first component mounts.

    Gradio adds `head` by script, half a second later, and imports would then load level by level.
    """
    how = {".css": "preload; as=style", ".js": "modulepreload"}
    return ", ".join(f"<{static_file_url(name)}>; rel={how[Path(name).suffix]}" for name in load_static_files())


def escape_template(text: str) -> str:
    """Plain text for a component's HTML template, in which Gradio would also evaluate ${...} and {{...}}."""
    return re.sub(r"[^\w .,:;!?()'/-]", lambda found: f"&#{ord(found[0])};", text)


def component_mount_script(module: str) -> str:
    """The script of a gr.HTML component: imports a module below static/parts, whose `mount` paints the component."""
    address = f"new URL({json.dumps(static_file_url(f'parts/{module}.js'))}, document.baseURI)"
    return f"import({address}).then(({{ mount }}) => mount({{ element, props, trigger, watch }}));"


def page_head_html(methods: Sequence[Method], qr_code: str = "") -> str:
    """The content that Gradio adds to the page's <head>."""
    return (
        f'<meta name="color-scheme" content="light dark">'
        f'<link rel="stylesheet" href="{static_file_url("page.css")}">'
        f'<script type="application/json" id="crosscheck-config">{_json(browser_page_config(methods, qr_code))}</script>'
    )


def browser_page_config(methods: Sequence[Method], qr_code: str = "") -> dict[str, Any]:
    """The page's configuration, which does not change while it runs. qr_code: URL of the page's address as a QR code; empty for none."""
    tables = {name: base64.b64encode(colour_lookup_table(name).tobytes()).decode() for name in (*SEQUENTIAL, *DIVERGING)}
    return {
        "address": qr_code,
        "colours": {
            "plain": list(SEQUENTIAL),
            "signed": list(DIVERGING),
            "titles": TITLES,
            "tables": tables,
            "rule": default_colour_constants(),
        },
        "methods": {type(method).__name__: describe_method(method) for method in methods},
        "words": {"scale": SCALE_RULE, "keys": KEYS, "summaries": {"Consensus": CONSENSUS, "Votes": VOTES}, "glossary": GLOSSARY},
        "upload": {
            "bytes": PICTURE_BYTES,
            "tooLarge": f"The file has {{size}} MB; {PICTURE_BYTES // 1_000_000} MB is the most. Make the picture smaller.",
            "modelBytes": MODEL_BYTES,
            "modelSuffixes": ",".join(UPLOAD_SUFFIXES),
            "modelKinds": ACCEPTED_UPLOADS[0].upper() + ACCEPTED_UPLOADS[1:],
            "modelTooLarge": f"The file has {{size}} MB; {MODEL_BYTES // 1_000_000} MB is the most. Bring a smaller model.",
        },
    }


def default_colour_constants() -> dict[str, float | list[str]]:
    """The constants of the default colours, by which the browser paints as `app.rendering` does."""
    return {
        "tables": [rendering.BRIGHT, rendering.BRIGHT_SIGNED],
        "chroma": rendering.CHROMA,
        "brightness": rendering.BRIGHTNESS,
        "cover": rendering.COVER,
        "fadeFrom": rendering.FADE_FROM,
        "fadeTo": rendering.FADE_TO,
        "hatchPeriod": rendering.HATCH_PERIOD,
        "hatchWidth": rendering.HATCH_WIDTH,
        "hatchCover": rendering.HATCH_COVER,
        "strongest": rendering.STRONGEST,
    }


def describe_method(method: Method) -> dict[str, Any]:
    """A method's description, and its parameters as controls."""
    defaults = method.parameter_values()
    return {
        "title": method.title,
        "about": method.about,
        "formula": method.formula,
        "source": method.source,
        "asks": ASKS[method.asks],
        "costs": COSTS[method.asks],
        "fails": method.fails,
        "parameters": [_control(name, bounds, defaults[name]) for name, bounds in method.parameters().items()],
    }


def _control(name: str, bounds: ParameterRange | ParameterChoice, default: Any) -> dict[str, Any]:
    if isinstance(bounds, ParameterChoice):
        return {"name": name, "help": bounds.help, "default": default, "options": list(bounds.options)}
    return {"name": name, "help": bounds.help, "default": default, "low": bounds.low, "high": bounds.high, "step": bounds.step}


def _json(value: object) -> str:
    """JSON that cannot close the script element around it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
