"""The checkpoint of a run: one file, written atomically, from which the run resumes exactly."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from errors import UserError
from models.output.atomic_files import atomic_file

NAME = "checkpoint.npz"
Arrays = list[NDArray[Any]]


@dataclass
class TrainingState:
    """The state after some epochs of a stage: every variable of the model and of its optimizer, the best weights, the history.

    plan: the run's options; only the same plan may resume. history: one entry per epoch, the stages one after another.
    """

    plan: dict[str, Any]
    stage: int = 0
    epoch: int = 0
    best_loss: float = float("inf")
    history: list[dict[str, float]] = field(default_factory=list)
    model: Arrays = field(default_factory=list)
    optimizer: Arrays = field(default_factory=list)
    best: Arrays = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """All but the arrays."""
        return {
            "plan": self.plan,
            "stage": self.stage,
            "epoch": self.epoch,
            "best_loss": self.best_loss,
            "history": self.history,
        }

    def arrays(self) -> dict[str, Arrays]:
        """The arrays by the kind that their names in the file begin with."""
        return {"model": self.model, "optimizer": self.optimizer, "best": self.best}

    @classmethod
    def from_json(cls, header: Mapping[str, Any], arrays: Mapping[str, Arrays]) -> "TrainingState":
        """What `to_json` and `arrays` gave."""
        return cls(
            plan=header["plan"],
            stage=header["stage"],
            epoch=header["epoch"],
            best_loss=header["best_loss"],
            history=header["history"],
            model=arrays["model"],
            optimizer=arrays["optimizer"],
            best=arrays["best"],
        )


_ARRAYS = ("model", "optimizer", "best")


def write_checkpoint(state: TrainingState, folder: Path) -> None:
    """Replaces the folder's checkpoint in one step. UserError where the disk is full: the one before it is kept then."""
    arrays = {f"{kind}_{number:04}": array for kind, several in state.arrays().items() for number, array in enumerate(several)}
    members: dict[str, Any] = {"told": np.array(json.dumps(state.to_json())), **arrays}
    with atomic_file(folder / NAME) as file:
        np.savez(file, **members)


def read_checkpoint(folder: Path, plan: dict[str, Any]) -> TrainingState | None:
    """The folder's checkpoint, or None where there is none. UserError where it is of another plan or damaged."""
    path = folder / NAME
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as held:
            header = json.loads(str(held["told"]))
            arrays = {kind: [held[key] for key in sorted(held.files) if key.startswith(f"{kind}_")] for kind in _ARRAYS}
    except Exception as error:  # whatever zipfile, numpy and json bring up for a damaged file
        raise UserError(f"The checkpoint {path} cannot be read ({error}); delete it, or start over with --fresh.") from error
    if header["plan"] != json.loads(json.dumps(plan)):
        raise UserError(
            f"{path} is of a run with other settings or pictures ({_differences(header['plan'], plan)}); "
            "ask for the same, choose another --out, or start over with --fresh."
        )
    return TrainingState.from_json(header, arrays)


def remove_checkpoint(folder: Path) -> None:
    """Forgets the folder's checkpoint."""
    (folder / NAME).unlink(missing_ok=True)


def _differences(before: dict[str, Any], now: dict[str, Any]) -> str:
    now = json.loads(json.dumps(now))
    changes = [f"{name} was {before[name]}, is {now[name]}" for name in before if name in now and before[name] != now[name]]
    return "; ".join(changes)[:200] or "another version of them"
