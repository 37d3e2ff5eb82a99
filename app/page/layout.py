"""Where the parts and controls of the page are placed."""

from typing import Any

import gradio as gr
from gradio.themes.utils import colors, sizes

from app.explanation import method_key
from app.page.assets import component_mount_script, escape_template
from app.page.events import PageEvents
from app.page.page_parts import PARTS, PagePart, Place
from app.page.views.dropdown_controls import NO_CLASS, NO_OTHER_CLASS
from explainers.explanation_case import PRESETS

TITLE = "Crosscheck"
WARNING = (
    "**For learning and research; not a medical device.** A map shows what moved the classifier's score, not what is true about the "
    "picture. **Methods that agree can all be wrong.** How to read the answer: docs/reading.md, one page without formulas.\n\n"
    "Pictures stay in this server's memory, never on its disk; they are dropped when you leave, or after an hour at the latest. "
    "A model that you bring lies in its temporary folder for as long. Whoever runs the server can read both while they are here."
)
THEME = gr.themes.Base(
    primary_hue=colors.indigo,
    secondary_hue=colors.indigo,
    neutral_hue=colors.slate,
    font=[gr.themes.GoogleFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
    radius_size=sizes.radius_md,
).set(
    body_background_fill="#f6f6f4",
    body_background_fill_dark="#0e1013",
    body_text_color_subdued="*neutral_600",
    body_text_color_subdued_dark="*neutral_400",
    block_label_text_color="*neutral_600",
    block_label_text_color_dark="*neutral_300",
    block_title_text_color="*neutral_700",
    block_title_text_color_dark="*neutral_200",
    button_primary_background_fill="*primary_600",
    button_primary_background_fill_hover="*primary_700",
    button_primary_background_fill_dark="*primary_600",
    button_primary_text_color="white",
)
BRAND = (
    '<a class="cc-skip" href="#cc-says">Skip to the answer</a><span class="cc-mark"><i aria-hidden="true"></i><h1>Crosscheck</h1></span>'
)


class GradioPageLayout:
    """The page's Blocks. `components`: name -> component."""

    def __init__(self, events: PageEvents, title: str = TITLE) -> None:
        """title: of the page, as plain text."""
        self.components: dict[str, Any] = {}
        self._services = events.services
        with gr.Blocks(title=f"{title}: where did the classifier look?", analytics_enabled=False, fill_width=True) as self.blocks:
            self._top(title)
            with gr.Row(elem_id="cc-columns", equal_height=False):
                with gr.Column(elem_id="cc-rail", scale=0, min_width=64):
                    self._parts("rail")
                with gr.Column(elem_id="cc-main", scale=1, min_width=280):
                    self._main()
            gr.Markdown(WARNING, elem_id="cc-warning")
            with gr.Column(elem_id="cc-drawer"):
                self._drawer()
        with self.blocks:
            events.bind(self.blocks, self.components)

    def _top(self, title: str) -> None:
        choices, first = self._services.classifier_choices(), self._services.registry.first
        with gr.Row(elem_id="cc-top"):
            gr.HTML(html_template=BRAND.replace(TITLE, escape_template(title)), elem_id="cc-brand", apply_default_css=False)
            with gr.Row(elem_id="cc-classes"):
                self._add("classifier", gr.Dropdown(choices, value=first, label="Classifier", elem_id="cc-classifier", min_width=150))
                self._add("target", gr.Dropdown([], value=None, label="Explain", elem_id="cc-target", min_width=120))
                self._add("rather", gr.Dropdown([NO_OTHER_CLASS], value=NO_CLASS, label="rather than", elem_id="cc-rather", min_width=120))
            self._parts("top")
            gr.HTML(html_template="<div></div>", js_on_load=component_mount_script("header"), elem_id="cc-header", apply_default_css=False)

    def _main(self) -> None:
        self._parts("notice")
        with gr.Row(elem_id="cc-answer", elem_classes="cc-card", equal_height=False):
            self._parts("answer")
        with gr.Row(elem_id="cc-statusline"):
            self._parts("status line")
            self._add("stop", gr.Button("Stop", elem_id="cc-stop", size="sm", scale=0, min_width=80))
        self._parts("maps")
        with gr.Column(elem_id="cc-trusted"):
            self._parts("trust")
        self._parts("end")

    def _drawer(self) -> None:
        services = self._services
        titles = [(method.title, name) for name, method in services.methods.items()]
        usual = [method_key(method) for method in services.usual]
        self._add("methods", gr.CheckboxGroup(titles, value=usual, label="Methods", elem_id="cc-methods"))
        self._add("preset", gr.Radio(list(PRESETS), value="Balanced", label="How carefully", elem_id="cc-preset"))
        self._add("times", gr.Markdown("", elem_id="cc-times"))
        self._add("explain", gr.Button("Update the maps", variant="primary", elem_id="cc-explain", min_width=100))
        gr.HTML(html_template="<h3>The classifier</h3>", elem_classes="cc-drawer-title", apply_default_css=False)
        self._add("about", gr.Markdown("", elem_id="cc-about"))
        self._parts("drawer")

    def _parts(self, place: Place) -> None:
        for part in PARTS:
            if part.place == place and part.enabled(self._services):
                self._add(part.name, _component(part))

    def _add(self, name: str, component: Any) -> None:
        self.components[name] = component


def _component(part: PagePart) -> gr.HTML:
    """Painted by the page's own modules; its template is static, so no text from outside is ever markup."""
    events = " ".join(f"'{event}'" for event in part.events)  # Gradio reads the names of a component's events from its script
    script = f"{component_mount_script(part.script or part.name)} // events: {events}"
    return gr.HTML(value={}, html_template="<div></div>", js_on_load=script, elem_id=f"cc-{part.name}", apply_default_css=False)
