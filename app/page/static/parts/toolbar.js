/** The display settings of all maps: mode, opacity, share of the area, colours. Nothing here sends a request. */

import { button, make, setAttribute, setShown, setText } from "../lib/dom.js";
import { colourTable, context2d } from "../lib/maps.js";
import { changeView, config, truth, view } from "../lib/view_state.js";
import { compareMaps } from "./dialogs.js";

const MODES = [
  ["overlay", "Overlay", "The map over the picture"],
  ["heat", "Heat only", "The map alone"],
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

  const plain = legend("colours", "none", "", "strongest");
  const signed = legend("signedColours", "against", "0", "for");
  const drawLegends = () => {
    plain.draw();
    signed.draw();
  };
  const truthBox = checkbox("truth");
  const truthTitle = "What was planted in this picture to make its class";
  const truthField = make("label", { class: "cc-field", title: truthTitle }, truthBox, make("span", {}, "Outline true evidence"));
  truth.subscribe((uri) => setShown(truthField, uri !== "")); // only some examples have known evidence

  const spoken = make("p", { class: "cc-hidden", role: "status", "aria-live": "polite" });
  const terms = config.words.glossary.map(([word, meaning]) => make("div", {}, make("dt", {}, word), make("dd", {}, meaning)));
  const more = make(
    "details",
    { class: "cc-more" },
    make("summary", {}, "Colours and reading help"),
    make(
      "div",
      { class: "cc-row" },
      colourChoice("cc-colours", "Maps of evidence for", "colours", config.colours.plain, drawLegends),
      colourChoice("cc-signed", "Maps of evidence for and against", "signedColours", config.colours.signed, drawLegends),
      make("label", { class: "cc-field" }, checkbox("seen"), make("span", {}, "Show the picture as the classifier gets it")),
    ),
    make("p", { class: "cc-facts" }, config.words.scale),
    make("p", { class: "cc-facts" }, config.words.keys),
    make("dl", { class: "cc-glossary" }, ...terms),
  );
  const percent = (/** @type {number} */ value) => `${value} %`;
  const area = (/** @type {number} */ value) => (value >= 100 ? "whole map" : `${value} % of area`);
  const node = make(
    "div",
    { class: "cc-card cc-toolbar", role: "group", "aria-label": "How the maps are shown" },
    make(
      "div",
      { class: "cc-row" },
      make("div", { class: "cc-choices", role: "group", "aria-label": "View" }, ...modes),
      slider("opacity", "Opacity", "How much of the colour covers the picture", 0, percent),
      slider("strongest", "Strongest", "Show only the strongest part of each map", 1, area),
      button("Compare two", "compare", () => compareMaps(), { "data-part": "compare" }),
      ...[truthField, plain.node, signed.node, more],
    ),
    spoken,
  );
  return { node, announce: (/** @type {string} */ text) => setText(spoken, text) };
};

/** @param {"seen" | "truth"} key */
const checkbox = (key) => {
  const input = make("input", { type: "checkbox", id: `cc-${key}`, on: { change: () => changeView({ [key]: input.checked }) } });
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
 * @param {() => void} drawLegends
 */
const colourChoice = (id, label, key, names, drawLegends) => {
  const change = () => {
    changeView({ [key]: select.value });
    drawLegends();
  };
  const options = names.map((name) => make("option", { value: name }, config.colours.titles[name] ?? name));
  const select = make("select", { id, on: { change } }, ...options);
  return make("label", { class: "cc-field" }, make("span", {}, label), select);
};

/**
 * A colour ramp with labels for its ends, and for its middle where it has one.
 * @param {"colours" | "signedColours"} key
 * @param {string} left
 * @param {string} middle
 * @param {string} right
 */
const legend = (key, left, middle, right) => {
  const canvas = make("canvas", { width: 256, height: 1, class: "cc-ramp" });
  const ramp = make("span", { class: "cc-rampbox" }, canvas, middle ? make("span", { class: "cc-zero" }, middle) : null);
  const node = make("span", { class: "cc-legend" }, make("span", {}, left), ramp, make("span", {}, right));
  const draw = () => {
    const table = colourTable(view[key]);
    const image = new ImageData(256, 1);
    for (let i = 0; i < 256; i++) image.data.set([table[3 * i], table[3 * i + 1], table[3 * i + 2], 255], 4 * i);
    context2d(canvas).putImageData(image, 0, 0);
  };
  draw();
  return { node, draw };
};
