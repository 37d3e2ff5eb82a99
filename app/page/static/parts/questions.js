/** Three questions below the maps, each with its answer in one line; one at a time opens what the answer rests on. */

import { mountPart } from "../lib/channel.js";
import { icon, make, setAttribute, setText } from "../lib/dom.js";
import { openTab } from "../lib/view_state.js";

/** @import { Gradio, QuestionsValue } from "../types" */

const QUESTIONS = /** @type {const} */ ([
  ["agreement", "Do the methods agree?", "cc-agreement-panel"],
  ["trust", "Does the answer follow the map?", "cc-trusted"],
  ["doctor", "Is the model read rightly?", "cc-doctor-panel"],
]);

/** @param {Gradio<QuestionsValue>} gradio */
export const mount = (gradio) => {
  const nodes = QUESTIONS.map(([name, question, panel]) => {
    const answer = make("strong", {}, "\u2026");
    const toggle = () => openTab.set(openTab.value === name ? "" : name);
    const attributes = { type: "button", class: "cc-question", "data-tab": name, "aria-controls": panel, on: { click: toggle } };
    return { name, answer, node: make("button", attributes, make("span", {}, question), answer, icon("unfold")) };
  });
  gradio.element.replaceChildren(
    make("div", { class: "cc-questions", role: "group", "aria-label": "Questions" }, ...nodes.map((one) => one.node)),
  );
  const trusted = document.getElementById("cc-trusted");
  setTimeout(() => {
    for (const [name, question, panel] of QUESTIONS) {
      const region = document.getElementById(panel);
      region?.setAttribute("role", "region");
      region?.setAttribute("aria-label", question);
      if (name === "trust" && !region) trusted?.setAttribute("aria-label", question);
    }
  });
  openTab.subscribe((open) => {
    document.documentElement.dataset.open = open;
    for (const { name, node } of nodes) setAttribute(node, "aria-expanded", String(name === open));
  });
  mountPart(gradio, (value) => {
    for (const { name, answer, node } of nodes) {
      setText(answer, value.answers?.[name]?.text ?? "\u2026");
      setAttribute(node, "data-tone", value.answers?.[name]?.tone ?? null);
    }
    gradio.element.dataset.run = String(value.run ?? "");
  });
};
