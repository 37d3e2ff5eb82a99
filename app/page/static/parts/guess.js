/** A strip above the answer where how the classifier wants its pictures is a guess, with what other usual ways would predict. */

import { mountPart } from "../lib/channel.js";
import { button, icon, make, setShown, setText } from "../lib/dom.js";
import { openTab } from "../lib/view_state.js";

/** @import { Gradio, GuessValue } from "../types" */

/** @param {Gradio<GuessValue>} gradio */
export const mount = (gradio) => {
  const text = make("p");
  const check = button("Check with pictures I know", null, () => openTab.set("doctor"));
  const strip = make("div", { class: "cc-guess", role: "note", "data-part": "guess", hidden: true }, icon("warning"), text, check);
  gradio.element.replaceChildren(strip);
  mountPart(gradio, (value) => {
    setShown(strip, Boolean(value.guess));
    setText(text, value.guess?.text ?? "");
    gradio.element.dataset.run = String(value.run ?? "");
  });
};
