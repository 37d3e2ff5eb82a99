/** Table of the agreement above chance of every pair of maps; hovering over a pair describes it and marks both panels. */

import { mountPart } from "../lib/channel.js";
import { make, setAttribute, setShown, setText, textList } from "../lib/dom.js";
import { panels, setPairWords } from "../lib/view_state.js";
import { compareMaps } from "./dialogs.js";

/** @import { AgreementValue, Gradio, Pair } from "../types" */

const CAPTION = "How far each pair of maps agrees beyond chance";

/** @param {Gradio<AgreementValue>} gradio */
export const mount = (gradio) => {
  const lead = make("p", { class: "cc-facts" });
  const sentence = make("p", { class: "cc-verdict", role: "status" });
  const reading = make("p", { class: "cc-reading-help" });
  const table = make("table", { class: "cc-matrix" });
  const words = make("div", { class: "cc-words" });
  const pair = make("p", { class: "cc-pair" });
  const box = make("div", { class: "cc-scroll", tabindex: "0", role: "region", "aria-label": CAPTION }, table);
  const swipe = make("p", { class: "cc-facts cc-swipe", hidden: true }, "\u2194 Scroll the table sideways: more methods follow.");
  const choice = make("select", { id: "cc-measure", on: { change: () => fill() } });
  const legend = createLegend();
  const section = make(
    "section",
    { class: "cc-card cc-agreement", role: "tabpanel", id: "cc-agreement-panel", "aria-label": "Do the methods agree?" },
    make(
      "div",
      { class: "cc-row cc-spread" },
      make("h2", {}, "Do the methods agree?"),
      make("label", { class: "cc-field" }, make("span", {}, "Show"), choice),
    ),
    ...[sentence, reading, lead],
    make("div", { class: "cc-columns" }, make("div", { class: "cc-tablebox" }, swipe, box, legend), make("div", {}, pair, words)),
  );
  const showSwipe = () => setShown(swipe, box.scrollWidth > box.clientWidth + 4);
  new ResizeObserver(showSwipe).observe(box);
  gradio.element.replaceChildren(section);

  /** @type {AgreementValue} */
  let value = {};
  /** @type {{ first: string, second: string, node: HTMLButtonElement }[]} */
  let cells = [];
  let order = "";

  /**
   * @param {string} [a]
   * @param {string} [b]
   */
  const find = (a, b) => value.pairs?.find((one) => (one.a === a && one.b === b) || (one.a === b && one.b === a));
  /**
   * @param {string} [a]
   * @param {string} [b]
   */
  const mark = (a, b) => {
    for (const [id, panel] of panels) setAttribute(panel.node, "data-marked", id === a || id === b ? "yes" : null);
    setText(pair, find(a, b)?.words ?? value.hint ?? "");
  };
  const cell = (/** @type {string} */ first, /** @type {string} */ second) => {
    if (first === second) return make("td", { class: "cc-same" }, "\u00b7");
    const here = () => mark(first, second);
    const gone = () => mark();
    const compare = () => compareMaps(first, second);
    const node = make("button", {
      type: "button",
      on: { click: compare, mouseenter: here, focus: here, mouseleave: gone, blur: gone },
    });
    cells.push({ first, second, node });
    return make("td", {}, node);
  };
  const build = (/** @type {{ id: string, title: string }[]} */ methods) => {
    cells = [];
    const heads = methods.map((one) => make("th", { scope: "col" }, make("span", {}, one.title)));
    const rows = methods.map((row) =>
      make("tr", {}, make("th", { scope: "row" }, row.title), ...methods.map((column) => cell(row.id, column.id))),
    );
    table.replaceChildren(
      make("caption", { class: "cc-hidden" }, CAPTION),
      make("thead", {}, make("tr", {}, make("td"), ...heads)),
      make("tbody", {}, ...rows),
    );
  };
  const fill = () => {
    const chosen = choice.value || "kappa";
    const raw = chosen !== "kappa";
    setAttribute(section, "data-raw", raw ? "yes" : null);
    setText(lead, (raw ? value.rawLead : value.lead) ?? "");
    setShown(legend, !raw);
    for (const { first, second, node } of cells) fillCell(node, find(first, second), chosen, raw);
  };
  const showWords = textList(words);
  mountPart(gradio, (next) => {
    value = next;
    setPairWords(value.pairs ?? []);
    const methods = value.methods ?? [];
    const newOrder = methods.map((one) => one.id).join(" ");
    setShown(section, methods.length > 1);
    if (!choice.options.length) choice.append(...(value.views ?? []).map(([id, label]) => make("option", { value: id }, label)));
    if (order !== newOrder) {
      build(methods);
      order = newOrder;
      showSwipe();
    }
    setText(sentence, value.sentence ?? "");
    setText(reading, value.reading ?? "");
    showWords(value.words ?? []);
    if (!pair.textContent) setText(pair, value.hint ?? "");
    fill();
    gradio.element.dataset.run = String(value.run ?? "");
    gradio.element.dataset.state = value.state ?? "";
    gradio.element.dataset.pairs = String((value.pairs ?? []).length);
  });
};

/**
 * @param {HTMLButtonElement} node
 * @param {Pair | undefined} pair undefined while it is not known
 * @param {string} chosen the view
 * @param {boolean} raw
 */
const fillCell = (node, pair, chosen, raw) => {
  const shown = pair?.cells[chosen];
  node.replaceChildren(shown ? shown.text : "\u2013", ...(shown?.aside ? [make("small", {}, shown.aside)] : []));
  node.style.background = shown?.colour ?? "";
  node.style.color = shown?.ink ?? "";
  setAttribute(node, "data-kind", shown?.kind);
  setAttribute(node, "disabled", pair ? null : "");
  const label = raw ? `Raw ${shown?.text}, by chance ${shown?.aside}. ${pair?.words}` : pair?.words;
  setAttribute(node, "aria-label", pair ? label : "not yet known");
};

/** What the cells of the table mean. */
const createLegend = () => {
  const key = (/** @type {string} */ text, /** @type {string} */ kind, /** @type {string} */ meaning) =>
    make("span", { class: "cc-key" }, make("span", { class: "cc-key-cell", "data-kind": kind }, text), meaning);
  return make(
    "p",
    { class: "cc-matrix-legend cc-facts" },
    make(
      "span",
      { class: "cc-key" },
      make("span", { class: "cc-key-ramp", "aria-hidden": "true" }),
      "0 chance \u2026 1 as well as each agrees with itself",
    ),
    key("chance", "chance", "no better than chance"),
    key("not told", "chance", "p over .05: one picture has little power"),
    key("?", "unsure", "no score: not converged or not reliable"),
    key("\u2020", "kappa", "edges, the centre, the difference from the fill or an untrained network explain it"),
    key("(\u03ba)", "kappa", "\u03ba where there is no \u03ba*: another scale"),
  );
};
