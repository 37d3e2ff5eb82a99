"""What a classifier's output looks like: a row of numbers for each picture. Anything else is refused alike in every format."""

from collections.abc import Sequence

from errors import UserError


def classes_in_output_shape(shape: Sequence[int | None], name: str) -> int:
    """The numbers in each picture's row. shape: of the output, pictures first; axes of length 1 do not count. UserError for a grid."""
    sides = [side for side in shape[1:] if side != 1]
    if len(sides) > 1:
        shown = " x ".join("any" if side is None else str(side) for side in sides)
        raise UserError(
            f"{name} gives a grid of answers for each picture, {shown} numbers, as networks that outline, locate or draw things do; "
            "a classifier gives one row, a number for each class."
        )
    if sides == [None] or not shape:
        raise UserError(f"{name} does not say how many numbers it gives, {tuple(shape)}; save it with a known number of classes.")
    return int(sides[0] or 1) if sides else 1
