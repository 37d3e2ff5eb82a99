/** How all maps are shown: view, share of the area, colours. Nothing here sends a request. */

import { button, icon, make, makeSvg, setAttribute, setShown, setText } from "../lib/dom.js";
import { colourTable, context2d } from "../lib/maps.js";
import { changeView, config, truth, view } from "../lib/view_state.js";
import { compareMaps } from "./dialogs.js";
import { present } from "./present.js";

const MODES = [
  ["overlay", "On picture", "The map over the darkened picture"],
  ["heat", "Map only", "The map alone"],
  ["spotlight", "Spotlight", "The picture, dark where the map is weak"],
];

/** The toolbar, and the live region that reads values under the crosshair. */
export const createToolbar = () => {
  const modes = MODES.map(([mode, label, title]) => {
    const pressed = String(mode === view.mode);
    const attributes = { type: "button", class: "cc-choice", title, "data-mode": mode, "aria-pressed": pressed };
    return make("button", { ...attributes, on: { click: () => choose(mode) } }, label);
  });
  const choose = (/** @type {string} */ mode) => {
    for (const node of modes) setAttribute(node, "aria-pressed", String(node.dataset.mode === mode));
    changeView({ mode });
  };

  const legend = createLegend();
  const truthBox = checkbox("truth");
  const truthTitle = "What was planted in this picture to make its class";
  const truthField = make(
    "label",
    { class: "cc-field", title: truthTitle },
    truthBox,
    make("span", {}, "Outline the known answer on every map"),
  );
  truth.subscribe((uri) => setShown(truthField, uri !== "")); // only some examples have known evidence

  const spoken = make("p", { class: "cc-hidden", role: "status", "aria-live": "polite" });
  const terms = config.words.glossary.map(([word, meaning]) => make("div", {}, make("dt", {}, word), make("dd", {}, meaning)));
  const percent = (/** @type {number} */ value) => `${value} %`;
  const area = (/** @type {number} */ value) => (value >= 100 ? "all" : `${value} %`);
  const more = make(
    "details",
    { class: "cc-more cc-menu" },
    make("summary", { class: "cc-button", title: "Colours, and how to read the maps" }, icon("about"), "Help"),
    make(
      "div",
      { class: "cc-pop" },
      make(
        "div",
        { class: "cc-row" },
        colourChoice("cc-colours", "Maps of evidence for", "colours", config.colours.plain, legend.draw),
        colourChoice("cc-signed", "Maps of evidence for and against", "signedColours", config.colours.signed, legend.draw),
        slider("opacity", "Cover", "How much of the older colours covers the picture", 0, percent),
        truthField,
        make("label", { class: "cc-field" }, checkbox("contour"), make("span", {}, "Outline the strongest tenth")),
        make("label", { class: "cc-field" }, checkbox("raw"), make("span", {}, "Single pixels, not smoothed")),
        make("label", { class: "cc-field" }, checkbox("seen"), make("span", {}, "Show the picture as the classifier gets it")),
      ),
      make("p", { class: "cc-facts" }, config.words.scale),
      make("p", { class: "cc-facts" }, config.words.keys),
      make("dl", { class: "cc-glossary" }, ...terms),
    ),
  );
  closeOutside(more);
  const node = make(
    "div",
    { class: "cc-toolbar", role: "group", "aria-label": "How the maps are shown" },
    make("div", { class: "cc-choices", role: "group", "aria-label": "View" }, ...modes),
    slider("strongest", "Strongest", "Show only the strongest part of each map", 1, area),
    legend.node,
    make("span", { class: "cc-space" }),
    button("Compare", "compare", () => compareMaps(), { "data-part": "compare" }),
    button("Present", "present", () => present(), { "data-part": "present" }),
    more,
    spoken,
  );
  return {
    node,
    announce: (/** @type {string} */ text) => setText(spoken, text),
    showClass: legend.showClass,
  };
};

/**
 * A menu closes by Escape and by a click elsewhere.
 * @param {HTMLDetailsElement} menu
 */
const closeOutside = (menu) => {
  document.addEventListener("click", (event) => {
    if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
};

/** @param {"seen" | "truth" | "raw" | "contour"} key */
const checkbox = (key) => {
  const change = () => changeView({ [key]: input.checked });
  const input = make("input", { type: "checkbox", id: `cc-${key}`, checked: view[key], on: { change } });
  return input;
};

/**
 * @param {"opacity" | "strongest"} key
 * @param {string} label
 * @param {string} title
 * @param {number} min
 * @param {(value: number) => string} text
 */
const slider = (key, label, title, min, text) => {
  const number = make("span", { class: "cc-number" }, text(view[key]));
  const change = () => {
    setText(number, text(+input.value));
    changeView({ [key]: +input.value });
  };
  const input = make("input", { type: "range", id: `cc-${key}`, min, max: 100, value: view[key], title, on: { input: change } });
  return make("label", { class: "cc-field", title }, make("span", {}, label), input, number);
};

/**
 * @param {string} id
 * @param {string} label
 * @param {"colours" | "signedColours"} key
 * @param {string[]} names
 * @param {() => void} drawLegend
 */
const colourChoice = (id, label, key, names, drawLegend) => {
  const change = () => {
    changeView({ [key]: select.value });
    drawLegend();
  };
  const options = names.map((name) => make("option", { value: name }, config.colours.titles[name] ?? name));
  const select = make("select", { id, on: { change } }, ...options);
  return make("label", { class: "cc-field" }, make("span", {}, label), select);
};

/** One ramp from evidence against to evidence for, and the sign of the strongest tenth. */
const createLegend = () => {
  const canvas = make("canvas", { width: 254, height: 12, class: "cc-ramp" });
  const right = make("span", {}, "for");
  const box = { viewBox: "0 0 20 12", class: "cc-outline-key", "aria-hidden": "true" };
  const key = makeSvg("svg", box, makeSvg("path", { d: "M2 11C2 4 7 2 10 2s8 2 8 9Z" }));
  const node = make(
    "span",
    { class: "cc-legend" },
    ...[make("span", {}, "against"), canvas, right, key, make("span", { class: "cc-legend-word" }, "strongest tenth")],
  );
  const draw = () => {
    const table = colourTable(view.signedColours);
    const { rule } = config.colours;
    const hatched = rule.tables.includes(view.signedColours);
    const image = new ImageData(canvas.width, canvas.height);
    for (let y = 0; y < canvas.height; y++) {
      for (let x = 0; x < canvas.width; x++) {
        const code = 3 * (1 + x);
        const line = hatched && x < 110 && (x + y) % rule.hatchPeriod < rule.hatchWidth;
        const colour = [0, 1, 2].map((channel) => table[code + channel] * (line ? rule.hatchCover : 1));
        image.data.set([...colour, 255], 4 * (y * canvas.width + x));
      }
    }
    context2d(canvas).putImageData(image, 0, 0);
  };
  draw();
  const showClass = (/** @type {string} */ label) => setText(right, label ? `for \u201c${label}\u201d` : "for");
  return { node, draw, showClass };
};
