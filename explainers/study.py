"""A study puts several methods to one case and yields a result each time a map is new or better."""

from dataclasses import dataclass

from explainers.method import Attribution, Method


@dataclass(frozen=True)
class Result:
    """Where one method stands. attribution is None until the first map, or for good where error says why there is none.

    evaluations: pictures that this method put through the model itself; shared: those it used that others had paid for.
    seconds: its own time so far. done: nothing better will come.
    """

    method: Method
    attribution: Attribution | None
    error: str = ""
    evaluations: int = 0
    shared: int = 0
    seconds: float = 0.0
    done: bool = False
