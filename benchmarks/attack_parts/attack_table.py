"""A row per attack: what was expected, what happened, what it cost, and whether the bounds hold."""

import re
from dataclasses import dataclass

from models.output.markdown import markdown_table_head, markdown_table_row

SERVER_MB, CHILD_MB, STALLED_MB = 200.0, 1000.0, 300.0
"""Memory above idle: above what the server held before, for a child above what one holds with an honest model, and the server's with
200 stalled uploads."""
SLOWER = 2.5
"""How many times as long another visitor's maps may take."""
LONGEST_SENTENCE = 400
HEAD = ("attack", "expected", "what happened", "server before, peak, after, MB", "child, MB", "TensorFlow starts", "others' maps", "bounds")


@dataclass(frozen=True)
class Outcome:
    """What an attack met. words: the sentence, status or count; fault: what is wrong with it, nothing where it is as expected."""

    words: str
    fault: str = ""


@dataclass(frozen=True)
class Bounds:
    """server: MB above idle. slower: how many times as long another visitor may wait; None where many visitors share fairly."""

    server: float = SERVER_MB
    slower: float | None = SLOWER


@dataclass(frozen=True)
class AttackRow:
    """before, peak, after, child: MB. seconds: in starts of TensorFlow. slower: another visitor's maps against alone: on average and the
    most; None where nobody else was there. idle_child: MB of a child with an honest model."""

    title: str
    expected: str
    outcome: Outcome
    before: float
    peak: float
    after: float
    child: float
    starts: float
    slower: tuple[float, float] | None
    bounds: Bounds = Bounds()
    idle_child: float = 0.0

    @property
    def failures(self) -> list[str]:
        """Which bounds do not hold."""
        found = [self.outcome.fault] if self.outcome.fault else []
        if self.peak - self.before > self.bounds.server:
            found.append(f"server {self.peak - self.before:.0f} MB above idle, at most {self.bounds.server:.0f}")
        if self.child - self.idle_child > CHILD_MB:
            found.append(f"child {self.child - self.idle_child:.0f} MB above idle, at most {CHILD_MB:.0f}")
        if self.slower and self.bounds.slower and self.slower[0] > self.bounds.slower:
            found.append(f"others {self.slower[0]:.1f} times as long, at most {self.bounds.slower}")
        return found

    def line(self) -> str:
        """The row of the table."""
        memory = f"{self.before:.0f}, {self.peak:.0f}, {self.after:.0f}"
        others = f"{self.slower[0]:.1f} times (most {self.slower[1]:.1f})" if self.slower else "-"
        verdict = "; ".join(self.failures) or "hold"
        cells = (self.title, self.expected, self.outcome.words, memory, f"{self.child:.0f}", f"{self.starts:.1f}", others, verdict)
        return markdown_table_row(tuple(cell.replace("|", "/").replace("\n", " ") for cell in cells))


def table_head() -> str:
    """The first two lines of the table."""
    return markdown_table_head(HEAD)


def refused(sentence: str) -> Outcome:
    """What a visitor read, judged: one sentence that names what was found and no place on the server."""
    return Outcome(sentence[:LONGEST_SENTENCE] or "no sentence", fault_of(sentence))


def fault_of(sentence: str) -> str:
    """What keeps it from being one plain sentence; nothing where it is one."""
    if not sentence:
        return "not refused"
    if len(sentence) > LONGEST_SENTENCE or "\n" in sentence:
        return f"{len(sentence)} characters where one sentence was expected"
    if re.search(r"(?<![\w:/])/(?:tmp|home|root|usr|var|etc|proc|opt|work|app)/", sentence):
        return "names a path of the server"
    if "Traceback" in sentence or "log says why" in sentence or "event failed" in sentence:
        return "says that something failed, not what was found"
    return ""
