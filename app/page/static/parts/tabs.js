/** The tabs below the maps. The open one is set on the page's root, so that it also applies to panels mounted later. */

import { make, setAttribute } from "../lib/dom.js";
import { openTab } from "../lib/view_state.js";

/** @import { Gradio } from "../types" */

const TABS = [
  ["agreement", "Agreement", "cc-agreement-panel"],
  ["trust", "Trust", "cc-trusted"],
  ["doctor", "Doctor", "cc-doctor-panel"],
];

/** @param {Gradio} gradio */
export const mount = (gradio) => {
  const open = (/** @type {string} */ name, focus = false) => {
    document.documentElement.dataset.open = name;
    for (const node of nodes) {
      const chosen = node.dataset.tab === name;
      setAttribute(node, "aria-selected", String(chosen));
      setAttribute(node, "tabindex", chosen ? "0" : "-1");
      if (chosen && focus) node.focus();
    }
    const trusted = document.getElementById("cc-trusted");
    trusted?.setAttribute("role", "tabpanel");
    trusted?.setAttribute("aria-label", "Which do I believe?");
    openTab.set(name);
  };
  const move = (/** @type {KeyboardEvent} */ event, /** @type {number} */ index) => {
    const last = TABS.length - 1;
    const target = { ArrowRight: index === last ? 0 : index + 1, ArrowLeft: index === 0 ? last : index - 1, Home: 0, End: last }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    open(TABS[target][0], true);
  };
  const nodes = TABS.map(([name, label, panel], index) => {
    const attributes = { type: "button", role: "tab", class: "cc-tab", "data-tab": name, "aria-controls": panel };
    return make("button", { ...attributes, on: { click: () => open(name), keydown: (event) => move(event, index) } }, label);
  });
  gradio.element.replaceChildren(make("div", { class: "cc-tabs", role: "tablist", "aria-label": "What to make of the maps" }, ...nodes));
  open("agreement");
};
