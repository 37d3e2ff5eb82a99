"""A doctor's report in a terminal."""

from app.commands.inspection_text import inspection_report_text
from models.inspection.inspection_report import InspectionFinding, InspectionReport, LayerReport


def test_names_of_a_strangers_file_give_the_terminal_no_orders() -> None:
    layer = LayerReport("conv\x1b[2J", (4, 4), 3, None, True)
    said = inspection_report_text(
        InspectionReport("m\x07", (InspectionFinding("labels", "2 classes: a\x1b[31mRED, c\u202eevil.", "labels.txt says so."),), (layer,))
    )
    assert all(character.isprintable() or character == "\n" for character in said)
    assert "2 classes: a?[31mRED, c?evil." in said
    assert "conv?[2J" in said
