"""The controls next to the answer: the lists of classes, facts about the classifier, seconds of the presets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.formatting import format_estimated_time
from app.page.views.alt_text import short_class_names
from app.page.views.prediction import likeliest_classes
from app.service.request import ExplanationState
from models.cards.card import Card
from models.cards.metadata import describe_metadata

NO_CLASS = -1
NO_OTHER_CLASS = ("(no other class)", NO_CLASS)
"""The entry, label and value, by which no second class is chosen."""


@dataclass(frozen=True)
class DropdownChoices:
    """A list's entries, each a label and a value, and the value that is chosen."""

    entries: Sequence[tuple[str, int]]
    value: int | None


NO_CARD: Mapping[str, Any] = {"about": "", "target": DropdownChoices((), None), "rather": DropdownChoices((NO_OTHER_CLASS,), NO_CLASS)}
"""The controls while nothing is known of the classifier."""


def controls_view(report: ExplanationState, loaded: bool) -> dict[str, Any]:
    """loaded: whether the classifier is ready. Facts and classes of another classifier are never shown with this one's name."""
    values: dict[str, Any] = {"about": model_card_markdown(report.card) if report.card else ""}
    if report.card is None and not loaded:
        values |= NO_CARD
    if report.card is not None and report.target is not None:
        names = short_class_names(report.card.labels)
        # The likeliest first: nobody reads a list of 1,000 to its end.
        order = dict.fromkeys([*likeliest_classes(report), *range(len(names))])
        classes = tuple((names[index], index) for index in order)
        rather = report.request.rather_than
        values["target"] = DropdownChoices(classes, report.target)
        values["rather"] = DropdownChoices((NO_OTHER_CLASS, *classes), NO_CLASS if rather is None else rather)
    return values


def format_preset_times(seconds: Mapping[str, float], limit: float) -> str:
    """Seconds of each preset on this machine, in words; nothing while they are not known. limit: seconds that an explanation may take."""
    if not seconds:
        return ""
    times = ", ".join(f"{preset} {format_estimated_time(each)}" for preset, each in seconds.items())
    long = [preset for preset, each in seconds.items() if each > limit]
    cut = f" Made shorter to end within {limit:g} s: {', '.join(long)}." if long else ""
    return f"On this machine: {times}.{cut}"


def model_card_markdown(card: Card) -> str:
    """What the card says about the classifier, as Markdown: one line, and the rest folded."""
    accuracy = "" if card.accuracy is None else f" · right on {100 * card.accuracy:.1f} % of its test pictures"
    metadata = f"Beside the picture it takes metadata, here {describe_metadata(card.metadata, {})}." if card.metadata else ""
    rest = [
        metadata,
        *card.notes,
        f"Measured on {card.measured_on}." if card.measured_on else "",
        f"Data: {card.data}",
        f"Licence: {card.licence}.",
    ]
    folded = "\n\n".join(line for line in rest if line)
    inferred = (
        "\n\n**No card came with this model; its input and its classes were only inferred.** What was assumed stands under “More about it”."
        if card.inferred
        else ""
    )
    line = f"{len(card.labels)} classes · {card.size[1]} × {card.size[0]} pixels{accuracy}"
    return f"{line}{inferred}\n\n<details><summary>More about it</summary>\n\n{folded}\n\n</details>"
