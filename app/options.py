"""The options of each command, as the command line gives them."""

import re
from dataclasses import dataclass
from pathlib import Path

from errors import UserError

LONGEST_TITLE = 60


@dataclass(frozen=True)
class ServeOptions:
    """The flags of `python -m app serve`.

    models: what `models.loading.load_classifier` takes, the first one shown first; empty means the bundled classifiers.
    examples: a folder of pictures offered with the bundled ones. concurrency: jobs that may evaluate the model at once.
    queue: visitors that may wait before the page says that it is busy. budget: seconds one explanation may take. trust: opens
    models from paths in this process, not each in one that can reach nothing. allow_model_upload: visitors may bring a model,
    always in such a process. custom_objects: with trust, the code of the models' own layers. proxies: how many stand in front of the
    server, each of which appends the address that it was called from to proxy_header; 0 trusts no header, and counts visitors by the
    address that they connect from. sandbox_user: whose the processes of visitors' models are where the server runs as root. engine: as
    of models.graph.engine.choice. title: of the page. download: whether the page may offer a classifier whose weights it would have to
    fetch first.
    """

    models: tuple[str, ...] = ()
    examples: Path | None = None
    host: str = "127.0.0.1"
    port: int = 7860
    concurrency: int = 1
    queue: int = 32
    budget: float = 60.0
    open_browser: bool = False
    trust: bool = False
    engine: str = "auto"
    custom_objects: Path | None = None
    allow_model_upload: bool = False
    proxies: int = 0
    proxy_header: str = "X-Forwarded-For"
    sandbox_user: str = "nobody"
    title: str = "Crosscheck"
    download: bool = True

    def __post_init__(self) -> None:
        for name, low, high in (("port", 0, 65535), ("concurrency", 1, 64), ("queue", 1, 10_000), ("budget", 1, 3600), ("proxies", 0, 10)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise UserError(f"--{name} is {value}; it must lie from {low} to {high}.")
        if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", self.proxy_header):
            raise UserError(f"--proxy-header is {self.proxy_header!r}, which is no name of a header; X-Forwarded-For is the usual one.")
        if self.examples is not None and not self.examples.is_dir():
            raise UserError(f"--examples is {self.examples}, which is no folder; give a folder of pictures.")
        if not 0 < len(self.title.strip()) <= LONGEST_TITLE or not self.title.isprintable():
            raise UserError(f"--title has {len(self.title)} characters; give from 1 to {LONGEST_TITLE} that can be printed.")


@dataclass(frozen=True)
class ExplainOptions:
    """The flags of `python -m app explain`.

    pictures: files. model: what `models.loading.load_classifier` takes. out: the folder to write. methods: names such as grad_cam; empty
    takes all. parameters: words such as occlusion.window=32. target, rather_than: a class by name or number; "top" is the
    likeliest. score: centred, logit or probability. segments, budget, layers: as in explanation_case.ExplanationSettings. measures:
    none, agreement (next to free) or all (tens of thousands of evaluations). mask: a picture of where the evidence lies, or a folder of
    such.
    hide: places to hide in three ways: "consensus", methods' names, or masks as `mask` takes them.
    metadata: words such as age=55, for the fields that the model takes with the picture according to its card. page: of files
    with several pages or frames, from 1.
    head: which of several answers. second_picture: for a model that takes two pictures, the other one. trust, custom_objects: as of serve.
    """

    pictures: tuple[Path, ...]
    model: str
    out: Path
    methods: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    target: str = "top"
    rather_than: str | None = None
    score: str = "centred"
    preset: str = "Balanced"
    fill: str = "blur"
    segments: int = 20
    budget: int | None = None
    layers: tuple[str, ...] = ()
    seed: int = 0
    measures: str = "agreement"
    mask: Path | None = None
    hide: tuple[str, ...] = ()
    metadata: tuple[str, ...] = ()
    page: int = 1
    head: str | None = None
    second_picture: Path | None = None
    quiet: bool = False
    trust: bool = False
    engine: str = "auto"
    custom_objects: Path | None = None

    def __post_init__(self) -> None:
        if self.page < 1:
            raise UserError(f"--page is {self.page}; pages and frames count from 1.")
        if self.mask is not None and not self.mask.exists():
            raise UserError(f"--mask is {self.mask}, which does not exist; give a mask, or a folder of masks called as the pictures.")
        if self.mask is not None and not self.mask.is_dir() and len(self.pictures) > 1:
            raise UserError(f"--mask is one file for {len(self.pictures)} pictures; give a folder of masks called as the pictures.")
        if self.out.exists() and (not self.out.is_dir() or any(self.out.iterdir())):
            raise UserError(f"--out is {self.out}, which exists and is not empty; name another folder or delete it first.")
        if self.rather_than is not None and self.score != "centred":
            raise UserError(f"--rather-than makes the score a contrast of two logits and --score asks for {self.score}; give one of them.")


@dataclass(frozen=True)
class LibraryOptions:
    """The flags of `python -m app library`.

    model: what `models.loading.load_classifier` takes. pictures: a folder. out: the file to write; None writes it next to the model.
    trust: as of serve.
    """

    model: str
    pictures: Path
    out: Path | None = None
    preset: str = "Balanced"
    quiet: bool = False
    trust: bool = False
    engine: str = "auto"
    custom_objects: Path | None = None


@dataclass(frozen=True)
class ReportCardOptions:
    """The flags of `python -m app report-card`.

    model: what `models.loading.load` takes. pictures: a folder. masks: a folder of masks called as the pictures. cases: of known evidence,
    about. out: the file to write; None keeps it beside the model. trust: as of serve.
    """

    model: str
    pictures: Path
    masks: Path | None = None
    cases: int = 100
    out: Path | None = None
    preset: str = "Fast"
    seed: int = 0
    quiet: bool = False
    trust: bool = False

    def __post_init__(self) -> None:
        if not 3 <= self.cases <= 10_000:
            raise UserError(f"--cases is {self.cases}; it must lie from 3 to 10000.")
        if self.masks is not None and not self.masks.is_dir():
            raise UserError(f"--masks is {self.masks}, which is no folder; give a folder of masks called as the pictures.")


@dataclass(frozen=True)
class InspectOptions:
    """The flags of `python -m app inspect`.

    model: what `models.loading.load_classifier` takes. pictures: a folder, with or without class folders. labels: a text of the model's
    classes, one a line, or a CSV file with the columns file and class that says what each picture shows. fix: writes the card that the
    report proposes, after a yes, or without asking where yes is set. preprocessing: what a person chose, such as "0..255" or "caffe bgr",
    for that card. as_json: prints the report as JSON. trust: as of serve.
    """

    model: str
    pictures: Path | None = None
    labels: Path | None = None
    preprocessing: str = ""
    fix: bool = False
    yes: bool = False
    as_json: bool = False
    trust: bool = False
    custom_objects: Path | None = None

    def __post_init__(self) -> None:
        if self.labels is not None and not self.labels.is_file():
            raise UserError(f"--labels is {self.labels}, which is no file; give a text with one line a class, or a CSV of file and class.")
        if self.labels is not None and self.labels.suffix.lower() == ".csv" and self.pictures is None:
            raise UserError(f"--labels is {self.labels}, which says what pictures show, but there is no --pictures; give their folder.")


@dataclass(frozen=True)
class GridGameOptions:
    """The flags of `python -m app grid-game`.

    model: what `models.loading.load_classifier` takes. pictures: a folder. methods: as of explain. side: pictures a side of a mosaic.
    mosaics: how many are laid. out: a JSON file to write; None writes none. trust: as of serve.
    """

    model: str
    pictures: Path
    methods: tuple[str, ...] = ()
    side: int = 2
    mosaics: int = 10
    preset: str = "Fast"
    seed: int = 0
    out: Path | None = None
    quiet: bool = False
    trust: bool = False
    engine: str = "auto"
    custom_objects: Path | None = None

    def __post_init__(self) -> None:
        for name, low, high in (("side", 2, 5), ("mosaics", 1, 10_000)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise UserError(f"--{name} is {value}; it must lie from {low} to {high}.")
        if self.out is not None and self.out.exists():
            raise UserError(f"--out is {self.out}, which exists; name another file or delete it first.")
