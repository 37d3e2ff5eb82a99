"""What the visitor wants, out of what the browser sent: every value is checked here, whoever sent it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from app.explanation import estimate_presets
from app.formatting import format_estimate
from app.page.views.alt_text import short_names
from app.page.views.evidence import further_of
from app.page.views.images import thumb_uri, truth_uri
from app.service.example_gallery import ExamplePicture
from app.service.model_uploads import TOKEN
from app.service.picture_uploads import Picture
from app.service.request import ExplanationRequest, ExplanationState, key_of
from app.service.session import Session
from errors import UserError
from explainers.case import PRESETS
from explainers.method import Method
from models.cards.card import Card
from models.cards.metadata import describe

if TYPE_CHECKING:
    from app.page.events import PageEvents

NO_CLASS = -1
NO_OTHER_CLASS = ("(no other class)", NO_CLASS)
"""The entry, label and value, by which no second class is chosen."""
NO_CARD = {"about": "", "target": gr.update(choices=[], value=None), "rather": gr.update(choices=[NO_OTHER_CLASS], value=NO_CLASS)}
CLASS_KINDS = ("bar", "target", "rather")


class SessionEndedError(UserError):
    """The server has lost what the page still shows."""


@dataclass(frozen=True)
class PageEvent:
    """An event. data: what the page's script sent along. status: the status line on the visitor's screen. chosen: the entry taken from a
    list of classes, where that is the event."""

    kind: str
    data: Any
    classifier: Any
    methods: Any
    preset: Any
    status: Any = None
    chosen: Any = None


class RequestParser:
    """Wish -> question, and the controls that follow from a report."""

    def __init__(self, handlers: "PageEvents") -> None:
        self.handlers = handlers

    def question(self, session: Session, wish: PageEvent) -> ExplanationRequest | None:
        """None where there is nothing to explain yet. UserError for anything that the page does not offer.

        In a new session the page that has shown no answer yet has lost nothing, whichever of its events is heard first.
        """
        self.check_known(session, wish.status, wish.kind)
        session.met = True
        name = self._named(wish.classifier)
        if not isinstance(wish.preset, str) or wish.preset not in PRESETS:
            raise UserError(f"There is no preset {str(wish.preset)[:40]!r}; choose one of {', '.join(PRESETS)}.")
        if wish.kind == "more":
            return _with_more(session, wish)
        if wish.kind == "parameters":
            self._set_parameters(session, wish.data)
        methods = self._methods(session, wish.methods)
        last = session.question
        picture = self._picture(name, wish, last)
        if picture is None:
            return None
        question = ExplanationRequest(name, picture, methods, wish.preset)
        if last is None or last.picture != picture or last.classifier != name:
            if wish.kind in CLASS_KINDS:
                raise UserError("The classes on the screen belong to another answer; wait for the new one and choose again.")
            return question
        if wish.kind in CLASS_KINDS:
            return _with_class(session.answer, replace(question, target=last.target, rather_than=last.rather_than), wish)
        return replace(question, target=last.target, rather_than=last.rather_than)

    def check_known(self, session: Session, status: Any, kind: str = "") -> None:
        """SessionEndedError where the session is new and the page is not, unless it brings a picture. The session learns what it shows.

        status: the line on the page's screen.
        """
        answered = isinstance(status, dict) and status.get("answered") is True
        session.answered = session.answered or answered
        if answered and not session.met and kind != "picked":
            raise SessionEndedError("Your session has ended; choose the picture again.")

    def overtaken(self, session: Session, wish: PageEvent) -> bool:
        """Whether a newer wish of the page's own parts has come first: requests may pass each other on the way."""
        number = wish.data.get("wish") if isinstance(wish.data, dict) else None
        if isinstance(number, bool) or not isinstance(number, int | float):
            return False
        if number < session.wish:
            return True
        session.wish = float(number)
        return False

    def nothing_new(self, session: Session, wish: PageEvent) -> bool:
        """Gradio's lists speak twice, when an entry is taken and when the list is left; and they may speak of an older answer.

        The page's first event may come after others, and what they began stays.
        """
        if wish.kind == "arrived":
            return session.met
        last, answer = session.question, session.answer
        if wish.kind == "classifier":
            return bool(wish.classifier == (last.classifier if last else session.classifier))
        if last is None or wish.kind not in ("target", "rather"):
            return False
        if answer is None:
            return True
        if wish.kind == "target":
            return bool(wish.chosen == (answer.target if last.target is None else last.target))
        return bool(wish.chosen == (NO_CLASS if last.rather_than is None else last.rather_than))

    def _named(self, classifier: Any) -> str:
        if isinstance(classifier, str) and classifier.startswith(TOKEN) and classifier not in self.handlers.shelf.entries:
            raise UserError("The model that you brought is no longer here; bring it again, or choose another classifier.")
        return self.handlers.shelf.entry(classifier).name

    def _picture(self, classifier: str, wish: PageEvent, last: ExplanationRequest | None) -> Picture | None:
        if wish.kind == "picked":
            if isinstance(wish.data, dict) and "example" in wish.data:
                return self._example(classifier, wish.data["example"]).picture
            return self.handlers.uploads.take(_field(wish.data, "token"))
        if last is not None and (last.classifier == classifier or not last.picture.example):
            return last.picture
        # Another classifier has other examples; a visitor's own picture stays.
        examples = self.handlers.gallery.of(classifier)
        return examples[0].picture if examples else None

    def _example(self, classifier: str, wanted: Any) -> ExamplePicture:
        for example in self.handlers.gallery.of(classifier):
            if example.picture.example == wanted:
                return example
        raise UserError("There is no such example; choose one from the list.")

    def _methods(self, session: Session, chosen: Any) -> tuple[Method, ...]:
        known = self.handlers.defaults
        if not isinstance(chosen, list) or not chosen:
            raise UserError("No method is chosen; choose at least one.")
        if unknown := [name for name in chosen if name not in known]:
            raise UserError(f"There is no method {str(unknown[0])[:40]!r}; choose from the list.")
        return tuple(session.settings.get(name, known[name]) for name in known if name in chosen)

    def _set_parameters(self, session: Session, data: Any) -> None:
        """New parameters of one method; what its dataclass refuses comes back as its sentence."""
        name, values = _field(data, "method"), _field(data, "values")
        if name not in self.handlers.defaults or not isinstance(values, dict):
            raise UserError("There is no such method; choose from the list.")
        method = self.handlers.defaults[name]
        bounds = method.parameters()
        if unknown := [key for key in values if key not in bounds]:
            raise UserError(f"{method.title} has no parameter {str(unknown[0])[:40]!r}.")
        clean = {key: _of_kind(getattr(method, key), values[key], f"{method.title}: {key}") for key in values}
        session.settings[name] = replace(method, **clean)

    def around(self, report: ExplanationState, run: int) -> dict[str, Any]:
        """The controls beside the answer: examples, the lists of classes, facts about the classifier, seconds of the presets."""
        values: dict[str, Any] = {"picture": self._picture_box(report, run), "about": card_markdown(report.card) if report.card else ""}
        if report.card is None and self.handlers.shelf.ready(report.question.classifier) is None:
            values |= NO_CARD  # what stood there of another classifier goes at once: it must not stand under the new name
        if report.card is not None and report.target is not None:
            classes = [(name, index) for index, name in enumerate(short_names(report.card.labels))]
            rather = report.question.rather_than
            values["target"] = gr.update(choices=classes, value=report.target)
            values["rather"] = gr.update(choices=[NO_OTHER_CLASS, *classes], value=NO_CLASS if rather is None else rather)
        return values | {"times": self.times(report.question.classifier)}

    def times(self, name: str) -> str:
        """Seconds of each preset on this machine; nothing before the classifier has been loaded and timed."""
        entry, classifier = self.handlers.shelf.entry(name), self.handlers.shelf.ready(name)
        if classifier is None:
            return ""
        if not entry.forecasts:
            usual = [self.handlers.defaults[method] for method in self.handlers.usual]
            estimate_presets(entry, classifier, usual)
        times = (f"{preset} {format_estimate(seconds * entry.pace)}" for preset, seconds in entry.forecasts.items())
        return f"On this machine: {', '.join(times)}."

    def _picture_box(self, report: ExplanationState, run: int) -> dict[str, Any]:
        name, picture = report.question.classifier, report.question.picture
        own = self.handlers.gallery.find(name, picture)
        title = own.title if own else picture.name
        size = f" · seen at {report.image.shape[1]} × {report.image.shape[0]} pixels" if report.image is not None else ""
        return {
            "run": run,
            "alt": f"The picture explained: {title}",
            "facts": title + size,
            "caption": own.caption if own else "",
            "credit": own.credit if own else "",
            "error": report.error if report.place == "picture" else "",
            "example": picture.example,
            "examples": self._thumbs(name),
            "truth": self._truth(own, report),
        }

    def idle(self, classifier: str, run: int) -> dict[str, Any]:
        """Before there is a picture: the examples, and what to do."""
        examples = self._thumbs(classifier)
        words = "Choose a picture" + (" or take an example" if examples else "") + "; its maps appear here."
        return {
            "picture": {"run": run, "examples": examples},
            "prediction": {"run": run, "sentence": "What does the classifier see?", "about": words},
            "grid": {"run": run},
            **{name: {"run": run} for name in ("status", "agreement", "trust", "slides", "region")},
            "times": self.times(classifier),
            **NO_CARD,
        }

    def _thumbs(self, classifier: str) -> list[dict[str, str]]:
        return [
            {"id": one.picture.example, "title": one.title, "thumb": thumb_uri(one.thumb)} for one in self.handlers.gallery.of(classifier)
        ]

    def _truth(self, own: ExamplePicture | None, report: ExplanationState) -> str:
        """The outline of what makes the class, where that is known and is the class explained."""
        if own is None or own.evidence is None or report.photo is None or report.card is None:
            return ""
        return truth_uri(own.evidence, report.photo.shape[:2], report.card.fit)


def _with_class(answer: ExplanationState | None, question: ExplanationRequest, wish: PageEvent) -> ExplanationRequest:
    """The question about the class that the event names; answer: the prediction that its number belongs to."""
    if answer is None:
        raise UserError("The prediction for this picture is not there yet; choose the class again in a moment.")
    if wish.kind == "bar":
        return replace(question, target=_index(answer, _field(wish.data, "index")), rather_than=None)
    if wish.kind == "target":
        target, rather = _index(answer, wish.chosen), question.rather_than
    else:
        target = answer.target if question.target is None else question.target
        rather = None if wish.chosen in (NO_CLASS, None) else _index(answer, wish.chosen)
    if target == rather:
        raise UserError("A class cannot be explained rather than itself; choose two different classes.")
    return replace(question, target=target, rather_than=rather)


def _with_more(session: Session, wish: PageEvent) -> ExplanationRequest:
    """The question of the answer on the screen, with more evaluations for one method."""
    last, answer = session.question, session.painted
    name = _field(wish.data, "method")
    method = next((one for one in last.methods if key_of(one) == name), None) if last else None
    missing = further_of(answer, method) if method and answer and answer.question == last and answer.final else 0
    if last is None or answer is None or not missing:
        raise UserError("That map needs no more evaluations, or its answer is not there yet.")
    result = answer.results[str(name)]
    return replace(last, further=tuple(sorted({**dict(last.further), str(name): result.evaluations + result.shared + missing}.items())))


def _index(report: ExplanationState, value: Any) -> int:
    """A class as its number in what is on the screen. Labels may repeat, so numbers travel, not names."""
    classes = len(report.card.labels) if report.card else 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < classes:
        raise UserError(f"This classifier has no class number {str(value)[:20]}; choose one from the list.")
    return value


def card_markdown(card: Card) -> str:
    """What the card says of the classifier, as Markdown: a line, and the rest folded."""
    accuracy = "" if card.accuracy is None else f" · right on {100 * card.accuracy:.1f} % of its test pictures"
    beside = f"Beside the picture it takes metadata, here {describe(card.metadata, {})}." if card.metadata else ""
    rest = [
        beside,
        *card.notes,
        f"Measured on {card.measured_on}." if card.measured_on else "",
        f"Data: {card.data}",
        f"Licence: {card.licence}.",
    ]
    folded = "\n\n".join(line for line in rest if line)
    inferred = (
        "\n\n**No card came with this model; its input and its classes were only inferred.** What was assumed stands under “More about it”."
        if card.inferred
        else ""
    )
    line = f"{len(card.labels)} classes · {card.size[1]} × {card.size[0]} pixels{accuracy}"
    return f"{line}{inferred}\n\n<details><summary>More about it</summary>\n\n{folded}\n\n</details>"


def _field(data: Any, name: str) -> Any:
    if not isinstance(data, dict) or name not in data:
        raise UserError("The page sent something that this server does not understand; reload it.")
    return data[name]


def _of_kind(default: Any, value: Any, what: str) -> Any:
    """The value as the same kind of thing as the default: whole numbers stay whole, words stay words."""
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


def _refuse(what: str, value: Any) -> Any:
    raise UserError(f"{what} is {str(value)[:40]!r}; move the slider or choose from the list.")
