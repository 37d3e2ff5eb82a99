"""What every component of the page shows, by its name, for one visitor at one moment."""

from collections.abc import Sequence
from typing import Any

from app.explanation import estimate_preset_seconds
from app.page.page_parts import PAINTED, PagePart
from app.page.views.dropdown_controls import NO_CARD, controls_view, format_preset_times
from app.page.views.page_state import LabelledPictures, PageState
from app.service.classifier_registry import ClassifierRegistry, RegisteredClassifier
from app.service.example_gallery import ExampleGallery
from app.service.inspection_queue import MAX_PICTURES
from app.service.regions import score_report_in_region
from app.service.request import ExplanationState
from app.service.session import Session
from explainers.method import Method

Values = dict[str, Any]
"""Component's name -> value. An empty dictionary leaves everything as it is."""


class PageRenderer:
    """Session and report -> values."""

    def __init__(self, registry: ClassifierRegistry, examples: ExampleGallery, usual: Sequence[Method], limit: float) -> None:
        """usual: the methods whose time the presets state. limit: seconds that an explanation may take."""
        self._registry, self._examples, self._usual, self._limit = registry, examples, usual, limit

    def answer(self, session: Session, report: ExplanationState, classifier: str, run: int) -> Values:
        """All parts and controls. classifier: the one that is chosen, which a failed request may not have reached."""
        state = self._state(session, report, classifier, run)
        loaded = self._registry.ready(report.request.classifier) is not None
        controls = controls_view(report, loaded) | {"times": self.times(report.request.classifier)}
        values = {part.name: _shown(part, state) for part in PAINTED} | controls
        if report.state == "loading" and state.entry and state.entry.fetching:
            values["status"] |= _fetching_status(state.entry)
        return values

    def empty_page(self, session: Session, classifier: str, run: int) -> Values:
        """A classifier without a picture."""
        state = self._state(session, None, classifier, run)
        return {part.name: {"run": run, **part.empty(state)} for part in PAINTED} | {"times": self.times(classifier), **NO_CARD}

    def parts(self, names: Sequence[str], session: Session, report: ExplanationState | None, classifier: str, run: int) -> Values:
        """Some of the parts."""
        state = self._state(session, report, classifier, run)
        return {part.name: _shown(part, state) for part in PAINTED if part.name in names}

    def times(self, classifier: str) -> str:
        """Seconds of each preset on this machine in words; nothing before the classifier has been loaded and timed."""
        return format_preset_times(self.seconds(classifier), self._limit)

    def seconds(self, classifier: str) -> dict[str, float]:
        """Preset -> about how long it takes on this machine; empty before the classifier has been loaded and timed."""
        entry, loaded = self._registry.entry(classifier), self._registry.ready(classifier)
        if loaded is None:
            return {}
        if not entry.forecasts:
            entry.forecasts = estimate_preset_seconds(loaded, self._usual, entry)
        return {preset: seconds * entry.pace for preset, seconds in entry.forecasts.items()}

    def inspection_pictures(self, session: Session, classifier: str) -> LabelledPictures:
        """The visitor's own picture, and the classifier's examples with the class that they show where it is known."""
        found = {each.picture: each.label for each in self._examples.of(classifier)}
        request = session.request
        if request and request.classifier == classifier and request.picture not in found:
            found = {request.picture: "", **found}
        return tuple(found.items())[:MAX_PICTURES]

    def _state(self, session: Session, report: ExplanationState | None, classifier: str, run: int) -> PageState:
        entry = self._registry.entries.get(classifier)
        loaded = self._registry.ready(classifier) if entry else None
        region, inspection = session.region, session.inspection
        if region and report and (region.picture, region.classifier) != (report.request.picture, report.request.classifier):
            region = None
        return PageState(
            run,
            report,
            entry,
            labels=tuple(loaded.labels) if loaded else (),
            examples=self._examples.of(report.request.classifier if report else classifier),
            example=self._examples.find(report.request.classifier, report.request.picture) if report else None,
            region=region,
            region_rows=score_report_in_region(report, region) if region and report else ((), ()),
            pictures=self.inspection_pictures(session, classifier) if entry else (),
            inspection=inspection if inspection and inspection.request.classifier == classifier else None,
            seconds=self.seconds(report.request.classifier if report else classifier) if entry else {},
            visits=session.visits,
        )


def _fetching_status(entry: RegisteredClassifier) -> dict[str, Any]:
    """What of the status line says that weights are on their way; a screen reader announces it once."""
    return {"text": entry.fetching, "spoken": f"Fetching {entry.title}.", "share": round(entry.arrived / max(1, entry.size), 3)}


def _shown(part: PagePart, state: PageState) -> dict[str, Any]:
    view = part.empty if state.report is None else part.view
    return {"run": state.run, **(view(state) if view else {})}
