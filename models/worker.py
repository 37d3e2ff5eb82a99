"""The sandboxed process of an untrusted model: confines itself, checks the file, opens it, and serves requests until its pipe closes."""

import os
import select
import sys
import tempfile
import threading
from collections import OrderedDict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from errors import UserError
from models.sandbox.checks.safe_text import error_reason
from models.sandbox.confinement import SandboxProtection, confine_process, limit_check_resources
from models.sandbox.sandbox_user import SandboxUser

if TYPE_CHECKING:
    from models.sandbox.ipc import Array, MessagePipes

KEPT = 3  # variants with other weights or metadata, each of which holds a copy of what is other


def main() -> None:
    """Arguments: the descriptors to read requests from and to write answers to, by how much it is nicer than the process that starts it,
    the user whose it becomes or "", the model's path, and what it may read besides.
    """
    reading, writing, nicer, user, name, *files = sys.argv[1:]
    limit_check_resources(Path(name))
    if hasattr(os, "nice"):
        os.nice(int(nicer))
    _block_side_effects()
    try:
        protection, trouble = confine_process(map(Path, files), user=SandboxUser.parse(user)), None
    except UserError as error:
        protection, trouble = SandboxProtection(0, False), error
    from models.sandbox.ipc import MessagePipes  # numpy begins threads, and only those of a process that is shut are held

    pipes, path = MessagePipes(int(reading), int(writing)), Path(name)
    if trouble:
        pipes.send(_error(trouble))
        return
    threading.Thread(target=_exit_with, args=(pipes.reading,), daemon=True).start()
    try:
        before = _identity(path)
        _check(path)
        pipes.send({"landlock": protection.landlock, "filtered": protection.filtered})
        pipes.receive(lambda _: ())  # memory and time are raised now
        _import()
        pipes.send({})
        pipes.receive(lambda _: ())
        served = _open(path)
        if _identity(path) != before:
            raise UserError(f"{path.name} was changed while it was opened; give it again when it is whole.")
        pipes.send(_described(served))
    except Exception as error:
        pipes.send(_error(error))
        return
    _serve(pipes, served)


def _block_side_effects() -> None:
    """What libraries would write to or look for, and cannot here."""
    tempfile.tempdir = "/nonexistent"
    sys.modules["matplotlib"] = None  # type: ignore[assignment]


def _exit_with(asking: int) -> None:
    """Ends this process as soon as the other end of its questions is gone, even in the middle of an answer."""
    poll = select.poll()
    poll.register(asking, 0)
    poll.poll()
    os._exit(0)


def _check(path: Path) -> None:
    from models.formats.format_registry import check_model_file

    check_model_file(path)


def _identity(path: Path) -> list[tuple[int, ...]]:
    """Of the file, or of every file of the folder: what was checked is what is opened."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    seen = (file.stat() for file in files)
    return [(each.st_dev, each.st_ino, each.st_size, each.st_mtime_ns, each.st_ctime_ns) for each in seen]


def _import() -> None:
    """TensorFlow takes its memory before that is limited for the model."""
    import models.classifiers.keras_classifier
    import models.loading  # noqa: F401


def _open(path: Path) -> Any:
    from models.loading import load_classifier_in_process

    return load_classifier_in_process(path)


def _described(served: Any) -> dict[str, Any]:
    """The description of the model; the other end validates all of it."""
    layers = [[x.name, list(x.grid), x.channels, x.branch, x.last, x.patches, list(x.pictures)] for x in served.layers]
    return {
        "card": served.card.to_json(),
        "layers": layers,
        "from_probabilities": served.logits_from_probabilities,
        "forward_only": served.forward_only,
        "engine": served.engine.to_json(),
        "heads": list(served.heads),
        "picture_inputs": list(served.picture_inputs),
    }


def _serve(pipes: "MessagePipes", served: Any) -> None:
    variants: OrderedDict[str, Any] = OrderedDict()
    engines = _Engines(served)
    while True:
        head, arrays = pipes.receive(lambda head: head["shapes"])
        try:
            if head["request"] == "structure":
                pipes.send({"traces": served.traces, "structure": _structure(served, arrays[0])})
                continue
            if head["request"] == "engine":
                pipes.send({"traces": served.traces, "engine": engines.state(head["choice"])})
                continue
            variant = _variant(engines.classifier(head["engine"]), head, arrays, variants)
            if head["request"] == "describe":
                pipes.send({"traces": variant.traces, **_described(variant)})
                continue
            answers = _answer(variant, head, arrays)
            pipes.send({"traces": served.traces}, answers)
        except Exception as error:
            pipes.send(_error(error))


class _Engines:
    """The classifier with each engine that was chosen; compiled in a thread of its own, beside the requests."""

    def __init__(self, served: Any) -> None:
        self._served, self._made = served, dict[str, Any]()
        self._under_way: threading.Thread | None = None

    def state(self, choice: str) -> dict[str, Any] | None:
        """What became of the choice; None until that is known."""
        if choice not in self._made:
            if self._under_way is None or not self._under_way.is_alive():
                self._under_way = threading.Thread(target=self._compile, args=(choice,), daemon=True)
                self._under_way.start()
            return None
        state: dict[str, Any] = self._made[choice].engine.to_json()
        return state

    def classifier(self, engine: str | None) -> Any:
        """The classifier with that engine, None for the one that it began with. A process that was restarted compiles it now. UserError."""
        if engine is None:
            return self._served
        found = next((each for each in self._made.values() if each.engine.engine == engine), None) or self._compile(engine)
        if found.engine.engine != engine:
            raise UserError(found.engine.remark)
        return found

    def _compile(self, choice: str) -> Any:
        from models.graph.engine.choice import InferenceEngine

        try:
            made = self._served.with_engine(InferenceEngine(choice))
        except Exception as error:  # a thread has nobody who would hear of it
            made = self._served.with_engine_remark(f"The engine failed: {type(error).__name__}: {error_reason(error)}")
        self._made[choice] = made
        return made


def _variant(served: Any, head: dict[str, Any], arrays: "list[Array]", variants: "OrderedDict[str, Any]") -> Any:
    """The classifier with the weights, metadata, head and second picture (the last array) of the request; the newest are cached."""
    reinitialised, metadata, chosen, explained = head["reinitialised"], head["metadata"], head["head"], head["explained"]
    second = arrays.pop() if explained is not None else None
    if not reinitialised and not metadata and not chosen and second is None:
        return served
    digest = "" if second is None else sha256(second.tobytes()).hexdigest()
    key = repr((head["engine"], reinitialised, sorted(metadata.items()), chosen, explained, digest))
    if key not in variants:
        made = served.with_head(chosen) if chosen else served
        made = made.with_metadata(metadata) if metadata else made
        made = made if second is None else made.with_second_picture(second, explained)
        variants[key] = made.randomised(*reinitialised) if reinitialised else made
    variants.move_to_end(key)
    while len(variants) > KEPT:
        variants.popitem(last=False)
    return variants[key]


def _answer(served: Any, head: dict[str, Any], arrays: "list[Array]") -> "list[Array]":
    from models.classifiers.score import Score

    name = head["request"]
    if name in ("outputs", "masked", "pullback"):
        return [getattr(served, name)(*arrays)]
    if name == "gradients":
        return [served.gradients(arrays[0], Score(*head["score"]))]
    if name == "nothing":
        return []
    layers = [served.layer(name) for name in head["layers"]]
    score = arrays[1] if name == "feature_pullback" else Score(*head["score"])
    found = getattr(served, name)(arrays[0], layers, score)
    return [each for answer in found for each in (answer.maps, answer.gradients)]


def _structure(served: Any, images: "Array") -> dict[str, Any]:
    from models.inspection.model_structure_reader import read_model_structure

    return read_model_structure(served, images).to_json()


def _error(error: Exception) -> dict[str, Any]:
    """An error as JSON; of TensorFlow's errors only running out of memory gets its own kind."""
    link: BaseException | None = error
    while link is not None:
        if isinstance(link, MemoryError) or type(link).__name__ == "ResourceExhaustedError":
            return {"error": "memory", "message": "The classifier ran out of memory."}
        link = link.__cause__ or link.__context__
    if isinstance(error, UserError):
        return {"error": "user", "message": str(error)}
    return {"error": "other", "message": f"{type(error).__name__}: {error_reason(error)}"}


if __name__ == "__main__":
    main()
