"""Draws a collection on one sheet: how many pictures each class has, how large they are, and some of them."""

import base64
import html
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from models.datasets.batch_decode import read_image
from models.datasets.near_duplicates import PictureFingerprint
from models.datasets.picture_collection import SPLITS, CollectionRow, PictureCollection
from models.datasets.quality_checks import DataWarning
from models.images.picture_placement import fit_to_size

EXAMPLES = 8
_MOST = 40  # classes of which examples are shown
_SIDE = 112  # pixels of an example
_COLOURS = {"train": "#4463a6", "validation": "#d98c2b", "test": "#3f8f5f", "": "#4463a6"}
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem}}img{{max-width:100%}}
pre{{white-space:pre-wrap;background:#f4f4f4;color:#222;padding:.6rem}}</style>
<h1>{title}</h1><p>{about}</p><img alt="{alt}" src="data:image/png;base64,{drawing}"><h2>Warnings</h2>{warnings}</html>
"""


def draw_contact_sheet(collection: PictureCollection, rows: Sequence[CollectionRow], prints: Sequence[PictureFingerprint]) -> bytes:
    """A PNG: bars of counts by class and part, a scatter of sizes, and examples of the first 40 classes."""
    classes = min(len(collection.labels), _MOST)
    figure = Figure(figsize=(11, 4 + 1.3 * classes), layout="constrained")
    halves = figure.add_gridspec(2, 1, height_ratios=[4, 1.3 * classes])
    top, below = figure.add_subfigure(halves[0]), figure.add_subfigure(halves[1])
    counts, sizes = top.subplots(1, 2)
    _bars(counts, collection)
    _sizes(sizes, collection, rows, prints)
    grid = below.subplots(classes, EXAMPLES, squeeze=False)
    for number, (label, cells) in enumerate(zip(collection.labels, grid, strict=False)):
        rows_of_class = [row for row in rows if row.label == number]
        chosen = sorted({int(place) for place in np.linspace(0, len(rows_of_class) - 1, EXAMPLES)}) if rows_of_class else []
        for cell in cells:
            cell.axis("off")
        for cell, place in zip(cells, chosen, strict=False):
            cell.imshow(fit_to_size(read_image(rows_of_class[place].path), (_SIDE, _SIDE), "letterbox"))
        cells[0].set_title(label.name, loc="left", fontsize=10)
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=100)
    return file.getvalue()


def _render_page(collection: PictureCollection, drawing: bytes, warnings: Sequence[DataWarning]) -> str:
    """One self-contained HTML page with the drawing and the warnings."""
    about = f"{len(collection.rows):,} pictures. {collection.source}. Licence: {collection.licence}. {' '.join(collection.remarks)}"
    counts = ", ".join(f"{name} {count:,}" for name, count in collection.counts().items())
    remarks = "".join(f"<pre>{html.escape(str(each))}</pre>" for each in warnings) or "<p>None.</p>"
    return _PAGE.format(
        title=html.escape(collection.name),
        about=html.escape(about),
        alt=html.escape(f"Counts by class: {counts}", quote=True),
        drawing=base64.b64encode(drawing).decode(),
        warnings=remarks,
    )


def save_contact_sheet(path: Path, collection: PictureCollection, drawing: bytes, warnings: Sequence[DataWarning]) -> None:
    """As PNG where `path` ends so, else as HTML."""
    if path.suffix.lower() == ".png":
        path.write_bytes(drawing)
    else:
        path.write_text(_render_page(collection, drawing, warnings), encoding="utf-8")


def _bars(axes: Axes, collection: PictureCollection) -> None:
    names = [label.name for label in collection.labels]
    left = np.zeros(len(names))
    for part in ("", *SPLITS):
        counts = np.bincount([row.label for row in collection.rows if row.split == part], minlength=len(names))
        if counts.any():
            axes.barh(names, counts, left=left, color=_COLOURS[part], label=part or "pictures")
            left += counts
    for place, total in enumerate(left):
        axes.text(total, place, f" {int(total):,}", va="center", fontsize=9)
    axes.set_xlim(0, left.max() * 1.15)
    axes.invert_yaxis()
    axes.set_title("Pictures of each class")
    axes.legend(fontsize=9)


def _sizes(axes: Axes, collection: PictureCollection, rows: Sequence[CollectionRow], prints: Sequence[PictureFingerprint]) -> None:
    for number, label in enumerate(collection.labels):
        sides = np.array([found.size for row, found in zip(rows, prints, strict=True) if row.label == number]).reshape(-1, 2)
        axes.scatter(sides[:, 1], sides[:, 0], s=12, alpha=0.5, label=label.name)
    axes.set(title="Sizes", xlabel="width, pixels", ylabel="height, pixels")
    axes.legend(fontsize=9)
