"""Cards with what a person adds to them: the names of the classes, and how the model wants its pictures."""

from dataclasses import replace
from typing import get_args

from errors import UserError
from models.cards.card import Card, CardNote, Colour, Scaling, is_scaling_note, unique_labels
from models.cards.class_name_formats import UnusableNamesError, parse_class_names

CHOSEN = "Scaling and colour were chosen by a person."
NAMED = "The names of its classes were given by a person."
_NAME_NOTES = (CardNote.NAMED_IN_FILE, CardNote.NAMED_BY, CardNote.NAMES_NOT_USED)


def card_with_class_names(card: Card, text: str) -> Card:
    """The card with these names, typed one per line, with numbers or in one line. UserError where they are not one per class."""
    try:
        names = parse_class_names(text.encode(), "labels.txt", len(card.labels)) or []
    except UnusableNamesError as error:
        raise UserError(f"These names cannot be used: {error}.") from error
    kept = [note for note in card.notes if note != NAMED and not any(each.begins(note) for each in _NAME_NOTES)]
    return replace(card, labels=unique_labels(names), notes=(*kept, NAMED))


def card_with_preprocessing(card: Card, scaling: Scaling, colour: Colour) -> Card:
    """The card with what a person chose, which is no guess any more."""
    kept = [note for note in card.notes if note != CHOSEN and not is_scaling_note(note)]
    return replace(card, scaling=scaling, colour=colour, inferred=False, notes=(CHOSEN, *kept))


def parse_preprocessing(text: str, card: Card) -> tuple[Scaling, Colour]:
    """A scaling, and a channel order behind it where it is not the usual one: "0..255", "0..1 bgr", "caffe". UserError."""
    words = text.lower().split()
    scaling = next((each for each in get_args(Scaling) if words and each == words[0]), None)
    colour = next((each for each in get_args(Colour) if len(words) == 2 and each == words[1]), None)
    if scaling is None or len(words) > 2 or (len(words) == 2 and colour is None):
        choices = ", ".join(get_args(Scaling))
        raise UserError(f"--preprocessing is {text[:40]!r}; give one of {choices}, and rgb, bgr or grey behind it where that is not usual.")
    usual: Colour = card.colour if card.colour == "grey" else "bgr" if scaling == "caffe" else "rgb"
    return scaling, colour or usual
