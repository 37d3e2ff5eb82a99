"""An inspection report as plain text for a terminal."""

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

from models.inspection.inspection_report import InspectionFinding, InspectionReport, LayerReport, PreprocessingCandidate

WIDTH, MOST_LAYERS = 110, 16


def inspection_report_text(report: InspectionReport) -> str:
    """Warnings first, then facts, the candidates for preprocessing, and the layers."""
    warnings = [each for each in report.findings if each.level != "fact"]
    facts = [each for each in report.findings if each.level == "fact"]
    lines = [report.name, "=" * len(report.name)]
    lines += ["", f"Warnings ({len(warnings)})", *_findings(warnings)] if warnings else ["", "No warnings."]
    lines += ["", "What it is", *_findings(facts)] if facts else []
    lines += ["", f"Ways of preparing a picture ({_picture_count(report)})", *_candidates(report)] if report.candidates else []
    lines += ["", *textwrap.wrap(report.certainty, WIDTH)] if report.certainty else []
    lines += ["", f"Spatial layers ({len(report.layers)})", *_layers(report.layers)] if report.layers else []
    return "\n".join(_plain(line) for line in lines)


def _plain(line: str) -> str:
    """Without control characters: names of labels and layers are untrusted."""
    return "".join(character if character.isprintable() else "?" for character in line)


def _findings(findings: Sequence[InspectionFinding]) -> Iterator[str]:
    for each in findings:
        yield from textwrap.wrap(f"{each.about}: {each.says}", WIDTH, initial_indent="  ", subsequent_indent="    ")
        yield from textwrap.wrap(f"({each.known_by})", WIDTH, initial_indent="    ", subsequent_indent="    ")


def _picture_count(report: InspectionReport) -> str:
    known = "none" if not report.classes_known else "all" if report.classes_known == report.pictures else report.classes_known
    return f"{report.pictures} pictures, {known} of known class"


def _candidates(report: InspectionReport) -> Iterator[str]:
    known = report.candidates[0].accuracy is not None
    heads = [
        "",
        "scaling",
        "colour",
        *(["right", "AUC"] if known else []),
        "confidence",
        "entropy",
        "steady",
        "spread",
        "names most",
        "score",
    ]
    today = None if report.card is None else (report.card.scaling, report.card.colour)
    rows = [["today" if (each.scaling, each.colour) == today else "", *_candidate_row(each, known)] for each in report.candidates]
    return _table([heads, *rows])


def _candidate_row(each: PreprocessingCandidate, known: bool) -> list[str]:
    shares = [f"{each.accuracy:.0%}", f"{each.auc:.2f}"] if known else []
    numbers = [f"{each.confidence:.0%}", f"{each.entropy:.2f} bit", f"{each.stability:.0%}", f"{each.spread:.2f} bit"]
    return [each.scaling, each.colour, *shares, *numbers, textwrap.shorten(each.commonest, 28, placeholder="..."), f"{each.score:.3f}"]


def _layers(layers: Sequence[LayerReport]) -> Iterator[str]:
    """All, or the last of each grid where they are many."""
    shown = list(layers)
    if len(shown) > MOST_LAYERS:
        lasts = {[*group][-1].name for _, group in groupby(layers, lambda each: each.grid)}
        shown = [each for each in layers if each.used or each.name in lasts]
    rows = [["used" if x.used else "", x.name, _by(x.grid), f"{x.channels}", _by(x.receptive_field)] for x in shown]
    yield from _table([["", "layer", "grid", "channels", "a cell sees"], *rows])
    if len(shown) < len(layers):
        yield f"  The last of each grid; --json lists all {len(layers)}."


def _by(pair: tuple[int, int] | None) -> str:
    return "everything" if pair is None else f"{pair[0]} x {pair[1]}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
