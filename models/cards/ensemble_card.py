"""Checks that classifiers can form an ensemble, and builds its card."""

from collections.abc import Sequence

from errors import UserError
from models.cards.card import LONGEST_NAME, LONGEST_TEXT, Card, Head
from models.cards.metadata import Field

WHY = (
    "its logits are the mean of theirs, each divided by its temperature: a score is then the mean of the members' scores, so that "
    "their maps add up to its map, which the mean of their probabilities would not allow"
)
_ALIKE: tuple[tuple[Head, ...], ...] = (("softmax", "logits"), ("sigmoid",), ("multi-label",))


def build_ensemble_card(name: str, cards: Sequence[Card]) -> Card:
    """The card of an ensemble of the classifiers with these cards. UserError where they cannot form one."""
    _check(name, cards)
    largest = max(cards, key=lambda card: card.size[0] * card.size[1])
    fits = sorted({card.fit for card in cards})
    notes = [f"An ensemble of {len(cards)} classifiers, {', '.join(card.name for card in cards)}; {WHY}."]
    if len(fits) > 1:
        notes.append(
            f"Pictures are brought to size as by {largest.name} ({largest.fit}); by itself a member would take {' or '.join(fits)}."
        )
    return Card(
        name=name[:LONGEST_NAME],
        labels=cards[0].labels,
        size=largest.size,
        fit=largest.fit,
        head="softmax" if cards[0].head == "logits" else cards[0].head,
        metadata=_metadata(cards),
        licence=", ".join(dict.fromkeys(card.licence for card in cards))[:LONGEST_TEXT],
        data=", ".join(dict.fromkeys(card.data for card in cards))[:LONGEST_TEXT],
        inferred=any(card.inferred for card in cards),
        notes=tuple(note[:LONGEST_TEXT] for note in notes),
    )


def _check(name: str, cards: Sequence[Card]) -> None:
    if len(cards) < 2:
        raise UserError(f"The ensemble {name} has {len(cards)} member; it needs at least 2.")
    first = cards[0]
    names = _names(first)
    for each in cards[1:]:
        who, own = f"{first.name} and {each.name} cannot be one ensemble", _names(each)
        if own != names:
            differ = "they stand in another order" if sorted(own) == sorted(names) else _unlike(names, own)
            raise UserError(f"{who}: their classes differ, {differ}; give classifiers of the same classes.")
        if not any({first.head, each.head} <= set(alike) for alike in _ALIKE):
            raise UserError(f"{who}: their heads are '{first.head}' and '{each.head}', whose logits mean different things.")


def _names(card: Card) -> list[str]:
    return [label.name for label in card.labels]


def _unlike(first: Sequence[str], second: Sequence[str]) -> str:
    if len(first) != len(second):
        return f"{len(first)} and {len(second)} of them"
    return next(f"such as '{one}' and '{other}'" for one, other in zip(first, second, strict=True) if one != other)


def _metadata(cards: Sequence[Card]) -> tuple[Field, ...]:
    known: dict[str, Field] = {}
    for card in cards:
        for field in card.metadata:
            if type(known.setdefault(field.name, field)) is not type(field):
                raise UserError(f"'{field.name}' is a number for one member and a category for another; fix the cards' 'metadata'.")
    return tuple(known.values())
