/** Dialogs: an enlarged map, two maps under a slider, the card of a method. Escape closes, focus returns. */

import { button, icon, make, setAttribute, setShown, setText } from "../lib/dom.js";
import { paintMap, readMap } from "../lib/maps.js";
import { config, onViewChange, panels, truth, view } from "../lib/view_state.js";

/** @import { Child, MethodCard, Panel, PanelEntry, Parameter } from "../types" */

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
const follow = (dialog, draw) => {
  const unsubscribe = onViewChange(draw);
  const timer = setInterval(draw, 500);
  dialog.addEventListener("close", () => {
    unsubscribe();
    clearInterval(timer);
  });
  draw();
};

/**
 * The layers of one map, and how they are drawn.
 * @param {Panel} panel
 */
const mapLayers = (panel) => {
  const photo = make("img", { alt: "", class: "cc-photo" });
  const canvas = make("canvas", { class: "cc-heat" });
  const outline = make("img", { alt: "", class: "cc-truth" });
  let painted = "";
  const draw = () => {
    const key = `${panel.uri.length}${panel.entry.version}${JSON.stringify(view)}`;
    const wanted = view.seen ? panel.pictures.seen : panel.pictures.photo;
    if (wanted) setAttribute(photo, "src", wanted);
    if (truth.value) setAttribute(outline, "src", truth.value);
    setShown(outline, Boolean(truth.value) && view.truth);
    photo.style.visibility = view.mode === "heat" && panel.map ? "hidden" : "visible";
    if (panel.map && key !== painted) paintMap(canvas, panel.map);
    painted = key;
  };
  return { nodes: [photo, canvas, outline], draw };
};

/**
 * @param {Panel} panel whose picture gives the shape
 * @param {...Child} children
 */
const largeStage = (panel, ...children) => {
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

/**
 * Opens two maps under a slider: those of the two methods, or the first and the last of the grid.
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
  const pair = [find(first) ?? ready[0], find(second) ?? ready[ready.length - 1]];
  const body = make("div", { class: "cc-compare" });
  let draw = () => {};
  const build = () => {
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
    body.replaceChildren(largeStage(pair[0], ...a.nodes, over, edge, slider));
    draw = () => {
      a.draw();
      b.draw();
    };
    wipe();
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
  const slider = build();
  const help = make("p", { class: "cc-facts" }, "Drag over the picture, or use the arrow keys.");
  const dialog = openDialog("Compare two maps", make("div", { class: "cc-row cc-spread" }, ...selects), body, help);
  setAttribute(dialog, "data-dialog", "compare");
  follow(dialog, () => draw());
  slider.focus();
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
