/** Dialogs: an enlarged map, two maps under a slider, the card of a method. Escape closes, focus returns. */

import { button, icon, make, makeSvg, setAttribute, setShown, setText } from "../lib/dom.js";
import { readMap } from "../lib/maps.js";
import { enlargedMap, outlineOf, paintDifference, paintPanel } from "../lib/painting.js";
import { config, onViewChange, pairWords, panels, truth, view } from "../lib/view_state.js";

/** @import { Child, MethodCard, Panel, PanelEntry, Parameter, ShownMap } from "../types" */

/**
 * Opens a dialog with a title; closing it removes it and restores the focus.
 * @param {string} title
 * @param {...Child} children
 */
export const openDialog = (title, ...children) => {
  const before = document.activeElement;
  const close = make(
    "button",
    { type: "button", class: "cc-small", "aria-label": "Close", on: { click: () => dialog.close() } },
    icon("close"),
  );
  const header = make("header", {}, make("h2", {}, title), close);
  const dialog = make("dialog", { class: "cc-dialog", "aria-label": title }, header, ...children);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (before instanceof HTMLElement) before.focus();
  });
  (document.querySelector(".gradio-container") ?? document.body).append(dialog);
  dialog.showModal();
  return dialog;
};

/**
 * Redraws an open dialog whenever the maps change.
 * @param {HTMLDialogElement} dialog
 * @param {() => void} draw
 */
export const follow = (dialog, draw) => {
  const unsubscribe = onViewChange(draw);
  const timer = setInterval(draw, 500);
  dialog.addEventListener("close", () => {
    unsubscribe();
    clearInterval(timer);
  });
  draw();
};

const SIDE = 960; // pixels of an enlarged map

/**
 * The layers of one map, and how they are drawn.
 * @param {Panel} panel
 */
export const mapLayers = (panel) => {
  const photo = make("img", { alt: "", class: "cc-photo" });
  const canvas = make("canvas", { class: "cc-heat" });
  const paths = [makeSvg("path"), makeSvg("path")];
  const box = { class: "cc-contour", viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" };
  const contour = makeSvg("svg", box, ...paths);
  const outline = make("img", { alt: "", class: "cc-truth" });
  let painted = "";
  /** @type {ShownMap | null} */
  let map = null;
  const draw = () => {
    const wanted = view.seen ? panel.pictures.seen : panel.pictures.photo;
    if (wanted) setAttribute(photo, "src", wanted);
    if (truth.value) setAttribute(outline, "src", truth.value);
    setShown(outline, Boolean(truth.value) && view.truth);
    photo.style.visibility = view.mode === "heat" && panel.map ? "hidden" : "visible";
    const before = map;
    map = enlargedMap(panel, SIDE, before);
    if (map !== before) for (const path of paths) setAttribute(path, "d", outlineOf(panel) || null);
    const key = JSON.stringify(view);
    if (map && (map !== before || key !== painted)) paintPanel(canvas, map, panel).catch((error) => console.error(error));
    painted = key;
  };
  return { nodes: [photo, canvas, contour, outline], draw };
};

/**
 * @param {Panel} panel whose picture gives the shape
 * @param {...Child} children
 */
export const largeStage = (panel, ...children) => {
  const node = make("div", { class: "cc-map cc-large" }, ...children);
  const { width = 1, height = 1 } = panel.pictures;
  node.style.aspectRatio = `${width} / ${height}`;
  node.style.width = `min(100%, calc((100dvh - 13rem) * ${width / height}))`;
  return node;
};

/** @param {Panel} panel */
export const enlarge = (panel) => {
  const layers = mapLayers(panel);
  const reading = make("span", { class: "cc-facts" }, "Touch the map or move over it to read it.");
  const map = largeStage(panel, ...layers.nodes);
  setAttribute(map, "role", "img");
  for (const kind of /** @type {const} */ (["pointerdown", "pointermove"])) {
    map.addEventListener(kind, (event) => {
      const box = map.getBoundingClientRect();
      const share = readMap(panel.map, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
      if (share) setText(reading, `${share} of this map's strongest value`);
    });
  }
  const caption = make("p");
  const note = make("p");
  const dialog = openDialog(panel.entry.title, map, caption, note, reading);
  setAttribute(dialog, "data-dialog", "larger");
  follow(dialog, () => {
    layers.draw();
    setAttribute(map, "aria-label", panel.entry.alt);
    setText(caption, panel.entry.alt);
    setText(note, panel.entry.note);
    setShown(note, panel.entry.note !== "");
  });
};

const WAYS = /** @type {const} */ ([
  ["slide", "Slide", "Drag over the picture, or use the arrow keys."],
  ["flicker", "Flicker", "The two maps in turn; what jumps is where they differ."],
  ["difference", "Difference", "Warm where the left map is stronger, cool and hatched where the right one is."],
]);
const FLICKER = 700; // ms

/**
 * Opens two maps of the same picture: those of the two methods, or the pair of different kinds that differs most.
 * @param {string} [first]
 * @param {string} [second]
 */
export const compareMaps = (first, second) => {
  const ready = [...panels.values()].filter((panel) => panel.map);
  if (ready.length < 2) {
    openDialog("Compare two maps", make("p", {}, "Two finished maps are needed; wait a moment."));
    return;
  }
  const find = (/** @type {string | undefined} */ id) => ready.find((panel) => panel.entry.id === id);
  const apart = first && second ? null : mostDifferent(ready);
  const pair = [find(first) ?? apart?.[0] ?? ready[0], find(second) ?? apart?.[1] ?? ready[ready.length - 1]];
  const body = make("div", { class: "cc-compare" });
  const help = make("p", { class: "cc-facts" });
  const score = make("p", { class: "cc-pair-score" });
  let way = "slide";
  let timer = 0;
  let draw = () => {};
  const build = () => {
    clearInterval(timer);
    const [a, b] = pair.map(mapLayers);
    const over = make("div", { class: "cc-over" }, ...b.nodes);
    const edge = make("span", { class: "cc-edge" });
    const slider = make("input", {
      ...{ type: "range", min: 0, max: 100, value: 50, class: "cc-wipe", "aria-label": "How much of the first map" },
      on: { input: () => wipe() },
    });
    const wipe = () => {
      over.style.clipPath = `inset(0 0 0 ${slider.value}%)`;
      edge.style.left = `${slider.value}%`;
    };
    setText(help, WAYS.find(([name]) => name === way)?.[2] ?? "");
    setText(score, pairWords(pair[0].entry.id, pair[1].entry.id));
    draw = () => {
      a.draw();
      b.draw();
    };
    if (way === "difference") {
      const canvas = make("canvas", { class: "cc-heat" });
      body.replaceChildren(largeStage(pair[0], canvas));
      draw = () => paintDifference(canvas, pair[0], pair[1]).catch((error) => console.error(error));
    } else if (way === "flicker") {
      body.replaceChildren(largeStage(pair[0], ...a.nodes, over));
      const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      const swap = () => setShown(over, over.hasAttribute("hidden"));
      if (still) body.append(button("Show the other map", null, swap));
      else timer = window.setInterval(swap, FLICKER);
    } else {
      body.replaceChildren(largeStage(pair[0], ...a.nodes, over, edge, slider));
      wipe();
    }
    draw();
    return slider;
  };
  const selects = pair.map((panel, which) => {
    const options = ready.map((one) => make("option", { value: one.entry.id, selected: one === panel }, one.entry.title));
    const change = () => {
      pair[which] = panels.get(select.value) ?? pair[which];
      build();
    };
    const select = make("select", { "aria-label": which ? "Right map" : "Left map", on: { change } }, ...options);
    return select;
  });
  const ways = WAYS.map(([name, label, title]) => {
    const choose = () => {
      way = name;
      for (const node of ways) setAttribute(node, "aria-pressed", String(node.dataset.way === way));
      build();
    };
    const pressed = String(name === way);
    return make(
      "button",
      { type: "button", class: "cc-choice", "data-way": name, title, "aria-pressed": pressed, on: { click: choose } },
      label,
    );
  });
  const slider = build();
  const choices = make("div", { class: "cc-choices", role: "group", "aria-label": "How the two maps are compared" }, ...ways);
  const dialog = openDialog(
    "Compare two maps",
    make("div", { class: "cc-row cc-spread" }, selects[0], choices, selects[1]),
    body,
    score,
    help,
  );
  setAttribute(dialog, "data-dialog", "compare");
  dialog.addEventListener("close", () => clearInterval(timer));
  follow(dialog, () => draw());
  slider.focus();
};

/**
 * The two methods of different kinds whose maps are least alike, by their correlation; null where there is one kind only.
 * @param {Panel[]} ready
 * @returns {[Panel, Panel] | null}
 */
const mostDifferent = (ready) => {
  const methods = ready.filter((panel) => !panel.entry.summary);
  /** @type {[Panel, Panel] | null} */
  let found = null;
  let least = Infinity;
  for (const a of methods) {
    for (const b of methods.slice(methods.indexOf(a) + 1)) {
      if (a.entry.family === b.entry.family || !a.map || !b.map) continue;
      const likeness = correlation(a.map.shares, b.map.shares);
      if (likeness < least) [found, least] = [[a, b], likeness];
    }
  }
  return found;
};

/**
 * @param {Float32Array} a
 * @param {Float32Array} b of the same length
 */
const correlation = (a, b) => {
  let [sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    sumA += a[i];
    sumB += b[i];
    sumAA += a[i] * a[i];
    sumBB += b[i] * b[i];
    sumAB += a[i] * b[i];
  }
  const n = a.length;
  return (n * sumAB - sumA * sumB) / (Math.sqrt((n * sumAA - sumA * sumA) * (n * sumBB - sumB * sumB)) || 1);
};

/**
 * Opens the card of a method, with its parameters.
 * @param {PanelEntry} entry
 * @param {(values: Record<string, string | number>) => void} explain runs with the parameters that were chosen
 */
export const methodCard = (entry, explain) => {
  const method = config.methods[entry.id] ?? config.words.summaries[entry.id];
  const row = (/** @type {string} */ name, /** @type {Child} */ text) => [make("dt", {}, name), make("dd", {}, text)];
  const facts = make(
    "dl",
    {},
    ...row("Formula", make("code", {}, method.formula)),
    ...row("Source", method.source),
    ...row("Asks the classifier for", method.asks),
    ...row("Costs", method.costs),
    ...row("Known to fail", method.fails),
  );
  const submit = (/** @type {Record<string, string | number>} */ values) => {
    explain(values);
    dialog.close();
  };
  const form = method.parameters.length ? parameterForm(method, entry, submit) : null;
  const dialog = openDialog(method.title, make("p", {}, method.about), facts, form);
  setAttribute(dialog, "data-dialog", "card");
};

/**
 * Controls for the parameters of a method; the server reports invalid values in the status line.
 * @param {MethodCard} method
 * @param {PanelEntry} entry
 * @param {(values: Record<string, string | number>) => void} submit
 */
const parameterForm = (method, entry, submit) => {
  const controls = method.parameters.map((one) => parameterControl(one, entry.parameters?.[one.name] ?? one.default));
  const values = () => Object.fromEntries(controls.map(({ name, read }) => [name, read()]));
  const onSubmit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    submit(values());
  };
  return make(
    "form",
    { class: "cc-form", on: { submit: onSubmit } },
    make("h3", {}, "Parameters"),
    ...controls.map(({ field }) => field),
    make(
      "div",
      { class: "cc-row" },
      make("button", { type: "submit", class: "cc-button cc-main" }, "Explain with these"),
      button("Back to the defaults", null, () => submit({})),
    ),
  );
};

/**
 * @param {Parameter} parameter
 * @param {string | number} value
 */
const parameterControl = ({ name, help, options, low, high, step }, value) => {
  const label = make("span", {}, make("strong", {}, name.replaceAll("_", " ")), ` \u2013 ${help}`);
  if (options) {
    const select = make(
      "select",
      { name },
      ...options.map((option) => make("option", { value: option, selected: option === value }, option)),
    );
    return { name, read: () => select.value, field: make("label", { class: "cc-field cc-wide" }, label, select) };
  }
  const number = make("span", { class: "cc-number" }, String(value));
  const show = () => setText(number, input.value);
  const input = make("input", { type: "range", name, min: low, max: high, step, value, on: { input: show } });
  return { name, read: () => +input.value, field: make("label", { class: "cc-field cc-wide" }, label, input, number) };
};
