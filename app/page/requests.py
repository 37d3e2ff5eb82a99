"""Event -> request: every value that a browser sends is checked here."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.explanation import method_key
from app.metrics import missing_evaluations_of_map
from app.page.views.dropdown_controls import NO_CLASS
from app.service.classifier_registry import ClassifierRegistry
from app.service.example_gallery import ExampleGallery, ExamplePicture
from app.service.request import ExplanationRequest, ExplanationState
from app.service.session import Session
from app.service.stores.model_uploads import TOKEN
from app.service.stores.picture_uploads import PictureUploads, UploadedPicture
from errors import UserError
from explainers.explanation_case import PRESETS
from explainers.method import Method
from explainers.methods import SEVEN

NOT_UNDERSTOOD = "The page sent something that this server does not understand; reload it."
CLASS_KINDS = ("bar", "target", "rather")


class VisitorSessionEndedError(UserError):
    """The server has lost what the page still shows."""


@dataclass(frozen=True)
class PageEvent:
    """An event that may begin a run. data: what the page's script sent along. status: the value of the status line on the visitor's
    screen. chosen: the entry taken from a list of classes, where that is the event."""

    kind: str
    data: Any
    classifier: Any
    methods: Any
    preset: Any
    status: Any = None
    chosen: Any = None


class RequestParser:
    """Session and event -> request."""

    def __init__(
        self, registry: ClassifierRegistry, uploads: PictureUploads, examples: ExampleGallery, methods: Mapping[str, Method]
    ) -> None:
        """methods: by name, with their default parameters."""
        self._registry, self._uploads, self._examples, self._defaults = registry, uploads, examples, methods

    def parse(self, session: Session, event: PageEvent) -> ExplanationRequest | None:
        """None while there is nothing to explain. UserError for anything that the page does not offer.

        In a new session a page that has shown no answer yet has lost nothing, whichever of its events arrives first.
        """
        require_live_session(session, event.status, event.kind)
        session.opened = True
        if event.kind == "restore":
            return self._restored(session, event.data)
        name = self._named(event.classifier)
        if not isinstance(event.preset, str) or event.preset not in PRESETS:
            raise UserError(f"There is no preset {str(event.preset)[:40]!r}; choose one of {', '.join(PRESETS)}.")
        if event.kind == "picked" and isinstance(event.data, dict) and "visited" in event.data:
            return self._visited(session, event.data["visited"])
        if event.kind == "more":
            return _with_more(session, event)
        if event.kind == "parameters":
            self._set_parameters(session, event.data)
        methods = self._methods(session, event.methods)
        last = session.request
        picture = self._picture(name, event, last)
        if picture is None:
            return None
        request = ExplanationRequest(name, picture, methods, event.preset)
        if last is None or last.picture != picture or last.classifier != name:
            if event.kind in CLASS_KINDS:
                raise UserError("The classes on the screen belong to another answer; wait for the new one and choose again.")
            return request
        if event.kind in CLASS_KINDS:
            return _with_class(session.answer, replace(request, target=last.target, rather_than=last.rather_than), event)
        return replace(request, target=last.target, rather_than=last.rather_than)

    def _visited(self, session: Session, key: Any) -> ExplanationRequest:
        """What was last asked about a picture of this visit."""
        visit = next((one for one in session.visits if one.key == key), None)
        if visit is None:
            raise UserError("That picture is no longer here; choose it again.")
        self._named(visit.request.classifier)
        return visit.request

    def _restored(self, session: Session, data: Any) -> ExplanationRequest:
        """What the page's address asks for: a link may be old, or of another server."""
        link = data if isinstance(data, dict) else {}
        name, preset = link.get("model"), link.get("preset", "Balanced")
        if not isinstance(name, str) or name not in self._registry.entries or name.startswith(TOKEN):
            raise UserError(f"This address names the classifier {str(name)[:60]!r}, which is not here; choose one from the list.")
        if "picture" in link:
            raise UserError(f"Your picture {str(link['picture'])[:60]!r} is no longer on the server; add it again.")
        example = next((one for one in self._examples.of(name) if one.picture.example == link.get("example")), None)
        if example is None:
            raise UserError(
                f"This address names the example {str(link.get('example'))[:60]!r}, which is not here; choose one from the list."
            )
        if preset not in PRESETS:
            raise UserError(f"There is no preset {str(preset)[:40]!r}; choose one of {', '.join(PRESETS)}.")
        keys = str(link.get("methods", "")).split(",") if link.get("methods") else [method.__name__ for method in SEVEN]
        target, rather = (_number(link.get(part)) for part in ("class", "rather"))
        if target is not None and target == rather:
            rather = None
        return ExplanationRequest(name, example.picture, self._methods(session, keys), preset, target=target, rather_than=rather)

    def _named(self, classifier: Any) -> str:
        if isinstance(classifier, str) and classifier.startswith(TOKEN) and classifier not in self._registry.entries:
            raise UserError("The model that you brought is no longer here; bring it again, or choose another classifier.")
        return self._registry.entry(classifier).name

    def _picture(self, classifier: str, event: PageEvent, last: ExplanationRequest | None) -> UploadedPicture | None:
        if event.kind == "picked":
            if isinstance(event.data, dict) and "example" in event.data:
                return self._example(classifier, event.data["example"]).picture
            return replace(self._uploads.take(_field(event.data, "token")), page=_page(event.data.get("page", 1)))
        if event.kind == "page":
            if last is None:
                raise UserError("There is no picture whose page could be chosen; choose a picture first.")
            return replace(last.picture, page=_page(_field(event.data, "page")))
        if last is not None and (last.classifier == classifier or not last.picture.example):
            return last.picture
        # Another classifier has other examples; a visitor's own picture stays.
        examples = self._examples.of(classifier)
        return examples[0].picture if examples else None

    def _example(self, classifier: str, name: Any) -> ExamplePicture:
        for example in self._examples.of(classifier):
            if example.picture.example == name:
                return example
        raise UserError("There is no such example; choose one from the list.")

    def _methods(self, session: Session, chosen: Any) -> tuple[Method, ...]:
        known = self._defaults
        if not isinstance(chosen, list) or not chosen:
            raise UserError("No method is chosen; choose at least one.")
        if unknown := [name for name in chosen if name not in known]:
            raise UserError(f"There is no method {str(unknown[0])[:40]!r}; choose from the list.")
        return tuple(session.settings.get(name, known[name]) for name in known if name in chosen)

    def _set_parameters(self, session: Session, data: Any) -> None:
        """New parameters of one method; UserError with the dataclass's own sentence where it refuses a value."""
        name, values = _field(data, "method"), _field(data, "values")
        if name not in self._defaults or not isinstance(values, dict):
            raise UserError("There is no such method; choose from the list.")
        method = self._defaults[name]
        bounds = method.parameters()
        if unknown := [key for key in values if key not in bounds]:
            raise UserError(f"{method.title} has no parameter {str(unknown[0])[:40]!r}.")
        clean = {key: _of_kind(getattr(method, key), values[key], f"{method.title}: {key}") for key in values}
        session.settings[name] = replace(method, **clean)


def require_live_session(session: Session, status: Any, kind: str = "") -> None:
    """VisitorSessionEndedError where the session is new and the page is not, unless the event brings a picture.

    status: the value of the status line on the visitor's screen; the session learns from it whether the page shows an answer.
    """
    answered = isinstance(status, dict) and status.get("answered") is True
    session.answered = session.answered or answered
    if answered and not session.opened and kind != "picked":
        raise VisitorSessionEndedError("Your session has ended; choose the picture again.")


def is_stale_event(session: Session, event: PageEvent) -> bool:
    """Whether a newer event of the page's own parts was received first: requests may overtake each other."""
    number = event.data.get("wish") if isinstance(event.data, dict) else None
    if isinstance(number, bool) or not isinstance(number, int | float):
        return False
    if number < session.newest_event:
        return True
    session.newest_event = float(number)
    return False


def is_duplicate_event(session: Session, event: PageEvent) -> bool:
    """Gradio's lists fire twice, when an entry is taken and when the list is left; and they may fire about an older answer.

    The page's first event may arrive after others, and what they began stays.
    """
    if event.kind == "arrived":
        return session.opened
    last, answer = session.request, session.answer
    if event.kind == "classifier":
        return bool(event.classifier == (last.classifier if last else session.classifier))
    if last is None or event.kind not in ("target", "rather"):
        return False
    if answer is None:
        return True
    if event.kind == "target":
        return bool(event.chosen == (answer.target if last.target is None else last.target))
    return bool(event.chosen == (NO_CLASS if last.rather_than is None else last.rather_than))


def _with_class(answer: ExplanationState | None, request: ExplanationRequest, event: PageEvent) -> ExplanationRequest:
    """The request about the class that the event names. answer: the prediction that its number belongs to."""
    if answer is None:
        raise UserError("The prediction for this picture is not there yet; choose the class again in a moment.")
    if event.kind == "bar":
        return replace(request, target=_index(answer, _field(event.data, "index")), rather_than=None)
    target: int | None
    if event.kind == "target":
        target, rather = _index(answer, event.chosen), request.rather_than
    else:
        target = answer.target if request.target is None else request.target
        rather = None if event.chosen in (NO_CLASS, None) else _index(answer, event.chosen)
    if target == rather:
        raise UserError("A class cannot be explained rather than itself; choose two different classes.")
    return replace(request, target=target, rather_than=rather)


def _with_more(session: Session, event: PageEvent) -> ExplanationRequest:
    """The request of the answer on the screen, with more evaluations for one method."""
    last, answer = session.request, session.painted
    name = _field(event.data, "method")
    method = next((one for one in last.methods if method_key(one) == name), None) if last else None
    missing = 0
    if method and answer and answer.request == last and answer.final:
        missing = missing_evaluations_of_map(method, answer.results.get(method_key(method)), answer.measures.consistency)
    if last is None or answer is None or not missing:
        raise UserError("That map needs no more evaluations, or its answer is not there yet.")
    result = answer.results[str(name)]
    return replace(last, further=tuple(sorted({**dict(last.further), str(name): result.evaluations + result.shared + missing}.items())))


def _index(report: ExplanationState, value: Any) -> int:
    """A class by its index in the answer on the screen. Labels may repeat, so indices are sent, not names."""
    classes = len(report.card.labels) if report.card else 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < classes:
        raise UserError(f"This classifier has no class number {str(value)[:20]}; choose one from the list.")
    return value


def _number(text: Any) -> int | None:
    """A class's number in an address; None where it is none. Whether there is such a class is known once the classifier is loaded."""
    return int(text) if isinstance(text, str) and text.isdecimal() and len(text) < 6 else None


def _field(data: Any, name: str) -> Any:
    if not isinstance(data, dict) or name not in data:
        raise UserError(NOT_UNDERSTOOD)
    return data[name]


def _of_kind(default: Any, value: Any, what: str) -> Any:
    """The value in the type of the default; UserError where it has another."""
    if isinstance(default, str) and isinstance(value, str):
        return value
    if isinstance(default, int | float) and isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e9:
        return (
            int(value)
            if isinstance(default, int) and value == int(value)
            else float(value)
            if isinstance(default, float)
            else _refuse(what, value)
        )
    return _refuse(what, value)


def _page(value: Any) -> int:
    """UserError where it is no page's number; whether the file has such a page its decoder says."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 10_000_000:
        raise UserError(f"The page is {str(value)[:20]!r}; pages and frames count from 1.")
    return value


def _refuse(what: str, value: Any) -> Any:
    raise UserError(f"{what} is {str(value)[:40]!r}; move the slider or choose from the list.")
