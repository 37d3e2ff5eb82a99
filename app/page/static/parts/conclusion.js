/** Three lines: whether the maps agree, what hiding their place showed, what has proved itself on this classifier. */

import { mountPart } from "../lib/channel.js";
import { make, setShown, setText, textList } from "../lib/dom.js";

/** @import { ConclusionValue, Gradio } from "../types" */

/** @param {Gradio<ConclusionValue>} gradio */
export const mount = (gradio) => {
  const title = make("h2");
  const lines = make("div", { class: "cc-words", role: "status" });
  const reading = make("p", { class: "cc-facts" });
  const section = make("section", { class: "cc-card", "aria-label": "What these maps say", hidden: true }, title, lines, reading);
  gradio.element.replaceChildren(section);
  const showLines = textList(lines);
  mountPart(gradio, (value) => {
    setShown(section, (value.lines ?? []).length > 0);
    setText(title, value.title ?? "");
    showLines(value.lines ?? []);
    setText(reading, value.reading ?? "");
    gradio.element.dataset.run = String(value.run ?? "");
  });
};
