"""Downloads a model from the Hugging Face Hub: only the files needed, of one fixed revision."""

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from errors import UserError
from models.cards.sidecar_files import LABELS, list_sidecar_files
from models.formats.format_registry import HUB_NAMES, SINGLE
from models.formats.model_format import ModelFormat
from models.sandbox.checks.safe_text import error_reason, printable_text
from plain_files import read_plain_text

HUB = "hf://"
LARGEST = 2_000_000_000  # bytes of all files together
_NAME = re.compile(r"hf://([A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@([\w./-]+))?")
_DONE = ".fetched"
_SECONDS = 20


def fetch_hub_model(name: str) -> Path:
    """name: hf://owner/name, or hf://owner/name@revision. Returns the model's local path, in the Hub's own folder (HF_HOME).

    A revision that is a full commit hash is downloaded once and then needs no network. UserError where it is unavailable.
    """
    found = _NAME.fullmatch(name)
    if not found:
        raise UserError(f"{name[:200]} is no model of the Hub; write hf://owner/name or hf://owner/name@revision.")
    repository, revision = found[1], found[2] or "main"
    if re.fullmatch(r"[0-9a-f]{40}", revision) and (cached := _cached_model(_place(repository, revision))):
        return cached
    from huggingface_hub import HfApi

    endpoint = os.environ.get("HF_ENDPOINT")
    try:
        info = HfApi(endpoint=endpoint).model_info(repository, revision=revision, timeout=_SECONDS, files_metadata=True)
    except Exception as error:  # the errors of the Hub, the network and the HTTP library have no common base
        raise UserError(_why_not(name, error)) from error
    place = _place(repository, str(info.sha))
    return _cached_model(place) or _download(name, repository, info, place)


def _download(name: str, repository: str, info: Any, place: Path) -> Path:
    from huggingface_hub import hf_hub_download

    sizes = {each.rfilename: each.size or 0 for each in info.siblings or ()}
    model, files = choose_model_files(sizes, name)
    if (total := sum(sizes[file] for file in files)) > LARGEST:
        raise UserError(f"{name} has {total / 1e9:.1f} GB; {LARGEST / 1e9:.0f} GB is the most. Take a smaller model.")
    try:
        for file in files:
            hf_hub_download(repository, file, revision=info.sha, local_dir=place, endpoint=os.environ.get("HF_ENDPOINT"))
        (place / _DONE).write_text(json.dumps({"model": model}), encoding="utf-8")
    except Exception as error:  # as above
        raise UserError(_why_not(name, error)) from error
    return place / model


def choose_model_files(files: Iterable[str], name: str) -> tuple[str, list[str]]:
    """The model among a repository's files (a SavedModel's folder, else a file), and all files that belong to it. UserError."""
    plain = [file for file in files if ".." not in file.split("/") and not file.startswith("/")]
    for kind, ending in _endings():
        found = [file for file in plain if file.endswith(ending) and _has_companions(file, kind, plain)]
        if len(found) > 1:
            listed = printable_text(", ".join(found), 160)
            raise UserError(f"{name} holds {len(found)} models ({listed}); download the one that you mean and give its path.")
        if found and kind.folder_files:
            folder = found[0].removesuffix(ending)
            inner = [each for each in plain if each.startswith(folder) and kind.folder_files.fullmatch(each.removeprefix(folder))]
            labels = {folder + LABELS, (PurePosixPath(folder).parent / LABELS).as_posix()} & set(plain)
            return folder.rstrip("/") or ".", inner + sorted(labels)
        if found:
            beside = {each.as_posix() for each in list_sidecar_files(Path(found[0]))}
            return found[0], [found[0], *sorted(beside & set(plain))]
    seen = printable_text(", ".join(plain), 160) or "nothing"
    raise UserError(f"{name} holds no model that is read here ({', '.join(HUB_NAMES)}); it holds: {seen}.")


def _has_companions(file: str, kind: ModelFormat, plain: Sequence[str]) -> bool:
    folder = PurePosixPath(file).parent
    return all((folder / each).as_posix() in plain for each in kind.companions)


def _endings() -> Iterator[tuple[ModelFormat, str]]:
    """Each format of single models with each suffix of its files, or with its marker."""
    for kind in SINGLE:
        for ending in kind.suffixes or (kind.marker,):
            yield kind, ending


def _place(repository: str, commit: str) -> Path:
    from huggingface_hub import constants

    home = Path(os.environ.get("HF_HOME") or constants.HF_HOME)
    return home / "crosscheck" / commit / repository.replace("/", "--")


def _cached_model(place: Path) -> Path | None:
    try:
        path = place / str(json.loads(read_plain_text(place / _DONE))["model"])
    except (UserError, OSError, ValueError, KeyError, TypeError):
        return None
    return path if path.exists() else None


def _why_not(name: str, error: Exception) -> str:
    from huggingface_hub import errors

    if isinstance(error, errors.OfflineModeIsEnabled):
        return f"{name} is not fetched because HF_HUB_OFFLINE is set; unset it, or name a whole commit that was fetched before."
    if isinstance(error, errors.GatedRepoError):
        return f"{name} is given only to those whom its owner has let in; ask on its page, then log in with 'hf auth login'."
    if isinstance(error, errors.RevisionNotFoundError):
        return f"{name} has no such revision; name a branch, a tag or a commit of it."
    if isinstance(error, errors.RepositoryNotFoundError):
        return f"{name} is not on the Hugging Face Hub, or not for everyone; check owner and name."
    return f"{name} could not be fetched ({error_reason(error)}); connect to the network, or name a whole commit that was fetched before."
