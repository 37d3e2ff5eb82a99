/** The status line, the page's only live region: what is running, its progress, the time left. It also detects lost answers. */

import { mountPart, setCurrentRun, setResync, watchdog } from "../lib/channel.js";
import { make, setAttribute, setText, showError } from "../lib/dom.js";

/** @import { Gradio, StatusValue } from "../types" */

/** @param {Gradio<StatusValue>} gradio */
export const mount = (gradio) => {
  const fill = make("span", { class: "cc-fill" });
  const progress = { role: "progressbar", "aria-label": "Progress", "aria-valuemin": "0", "aria-valuemax": "100" };
  const track = make("div", { class: "cc-track cc-progress", ...progress }, fill);
  const text = make("p", { class: "cc-now" });
  const spoken = make("p", { class: "cc-hidden", role: "status", "aria-live": "polite" });
  const error = make("p", { class: "cc-error", role: "alert", hidden: true });
  gradio.element.replaceChildren(make("div", { class: "cc-status" }, track, text, spoken, error));

  setResync(() => gradio.trigger("nudge", {}));
  watchdog();
  document.addEventListener("click", (event) => {
    if (event.target instanceof Element && event.target.closest("#cc-explain")) watchdog();
  });
  mountPart(gradio, (value) => {
    if (value.run !== undefined) setCurrentRun(value.run);
    fill.style.width = `${100 * (value.share ?? 0)}%`;
    setAttribute(track, "aria-valuenow", Math.round(100 * (value.share ?? 0)));
    setText(text, value.text ?? "");
    setText(spoken, value.spoken ?? "");
    showError(error, value.error ?? "");
    gradio.element.dataset.state = value.state ?? "";
    gradio.element.dataset.run = String(value.run ?? "");
  });
};
