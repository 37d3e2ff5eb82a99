/** The grid: one panel per method with its map over the picture, and a shared crosshair. Repainting sends no request. */

import { mountPart, send } from "../lib/channel.js";
import { icon, keyedList, make, setAttribute, setShown, setText } from "../lib/dom.js";
import { context2d, decode, paintMap, readMap, upsample } from "../lib/maps.js";
import { changeView, onViewChange, panels, pictures, truth, view } from "../lib/view_state.js";
import { enlarge, methodCard } from "./dialogs.js";
import { createToolbar } from "./toolbar.js";

/** @import { Gradio, GridValue, Panel, PanelEntry, Pictures, Point } from "../types" */

const STATES = /** @type {Record<string, string>} */ ({ waiting: "waiting", computing: "computing\u2026" });
const STEPS = /** @type {Record<string, [number, number]>} */ ({
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
});
const SIDE = 224; // pixels: maps of smaller pictures are painted on larger canvases

/** @param {Gradio<GridValue>} gradio */
export const mount = (gradio) => {
  const grid = make("div", { class: "cc-grid" });
  const toolbar = createToolbar();
  gradio.element.replaceChildren(make("section", { "aria-label": "Maps" }, toolbar.node, grid));
  onViewChange(() => panels.forEach(repaint));
  grid.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse") moveCrosshair(null);
  });
  /** @type {GridValue} */
  let value = {};
  const showPanels = keyedList(grid, {
    key: (/** @type {PanelEntry} */ entry) => entry.id,
    create: (entry) => create(entry, gradio, toolbar.announce),
    update: (panel, entry) => update(panel, entry, value.picture ?? {}, value.run),
    items: panels,
  });
  mountPart(gradio, (next) => {
    value = next;
    const list = value.panels ?? [];
    showPanels(list);
    pictures.set(value.picture ?? {});
    gradio.element.dataset.run = String(value.run ?? "");
    gradio.element.dataset.panels = String(list.length);
    gradio.element.dataset.maps = String(list.filter((entry) => entry.map).length);
    gradio.element.dataset.done = String(list.filter((entry) => entry.final).length);
  });
};

/**
 * @param {PanelEntry} entry
 * @param {Gradio<GridValue>} gradio
 * @param {(text: string) => void} announce
 * @returns {Panel}
 */
const create = (entry, gradio, announce) => {
  const spend = () => send(gradio, "more", { method: entry.id });
  const parts = {
    photo: make("img", { alt: "", class: "cc-photo", draggable: "false" }),
    truth: make("img", { alt: "", class: "cc-truth", draggable: "false" }),
    canvas: make("canvas", { class: "cc-heat" }),
    across: make("span", { class: "cc-across" }),
    down: make("span", { class: "cc-down" }),
    reading: make("span", { class: "cc-reading" }),
    cover: make("span", { class: "cc-cover" }),
    title: make("h3"),
    family: make("span", { class: "cc-family" }),
    state: make("span", { class: "cc-state" }),
    time: make("span"),
    cost: make("p", { class: "cc-note cc-cost" }),
    note: make("p", { class: "cc-note" }),
    more: make("button", { type: "button", class: "cc-button cc-more-button", hidden: true, on: { click: spend } }),
  };
  const layers = [parts.photo, parts.canvas, parts.truth, parts.across, parts.down, parts.reading, parts.cover];
  const stage = make("div", { class: "cc-map", role: "img", tabindex: "0" }, ...layers);
  const openCard = () => methodCard(panel.entry, (values) => send(gradio, "parameters", { method: panel.entry.id, values }));
  const small = { type: "button", class: "cc-small" };
  const about = make("button", { ...small, title: "About this method", on: { click: openCard } }, icon("about"));
  const larger = make("button", { ...small, title: "Enlarge (Enter)", on: { click: () => enlarge(panel) } }, icon("enlarge"));
  const node = make(
    "article",
    { class: "cc-panel", "data-method": entry.id },
    make("header", {}, parts.title, parts.family, about, larger),
    stage,
    make("footer", {}, make("div", { class: "cc-line" }, parts.state, parts.time), parts.cost, parts.note, parts.more),
  );
  /** @type {Panel} */
  const panel = { node, stage, about, larger, ...parts, entry, pictures: {}, map: null, uri: "" };
  for (const kind of /** @type {const} */ (["pointerdown", "pointermove"])) {
    stage.addEventListener(kind, (event) => {
      const box = stage.getBoundingClientRect();
      moveCrosshair({ x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height });
    });
  }
  stage.addEventListener("keydown", (event) => onKey(event, panel, announce));
  stage.addEventListener("keyup", (event) => {
    if (event.key === " ") peek(false);
  });
  stage.addEventListener("blur", () => peek(false));
  return panel;
};

/**
 * @param {Panel} panel
 * @param {PanelEntry} entry
 * @param {Pictures} under the picture under every map
 * @param {number | undefined} run
 */
const update = (panel, entry, under, run) => {
  panel.entry = entry;
  panel.pictures = under;
  setAttribute(panel.node, "data-state", entry.state);
  setText(panel.title, entry.title);
  setText(panel.family, entry.family);
  setText(panel.state, entry.word);
  setText(panel.cost, entry.cost);
  setText(panel.time, entry.time);
  setText(panel.note, entry.note);
  setShown(panel.more, Boolean(entry.more));
  setText(panel.more, entry.more?.text ?? "");
  setAttribute(panel.family, "title", entry.help || null);
  setAttribute(panel.state, "title", entry.wordHelp || null);
  setAttribute(panel.cost, "title", entry.costHelp || null);
  setText(panel.cover, entry.map ? "" : (STATES[entry.state] ?? ""));
  setAttribute(panel.stage, "aria-label", entry.alt);
  setAttribute(panel.about, "aria-label", `About ${entry.title}`);
  setAttribute(panel.larger, "aria-label", `Enlarge ${entry.title}`);
  panel.stage.style.aspectRatio = `${under.width ?? 1} / ${under.height ?? 1}`;
  showPhoto(panel);
  const painted = () => setAttribute(panel.stage, "data-painted", `${run}.${entry.version}`);
  if (panel.uri === entry.map) {
    if (panel.map) painted();
    return;
  }
  panel.uri = entry.map;
  if (!entry.map) {
    panel.map = null;
    setAttribute(panel.stage, "data-painted", null);
    repaint(panel);
    return;
  }
  decode(entry.map)
    .then((codes) => {
      if (panel.uri !== entry.map) return; // a newer map has arrived
      const { width = codes.w, height = codes.h } = panel.pictures;
      const times = Math.max(1, Math.ceil(SIDE / Math.max(width, height)));
      const W = width * times;
      const H = height * times;
      panel.map = { W, H, signed: entry.signed, shares: upsample(codes, H, W, entry.signed) };
      repaint(panel);
      painted();
    })
    .catch((error) => console.error(error));
};

/** @param {Panel} panel */
const showPhoto = (panel) => {
  const { photo, seen } = panel.pictures;
  const wanted = view.seen ? seen : photo;
  if (wanted) setAttribute(panel.photo, "src", wanted);
  setAttribute(panel.photo, "data-pixels", view.seen ? "yes" : null);
  if (truth.value) setAttribute(panel.truth, "src", truth.value);
  setShown(panel.truth, Boolean(truth.value) && view.truth);
  panel.photo.style.visibility = view.mode === "heat" && panel.map && !view.peek ? "hidden" : "visible";
  panel.canvas.style.visibility = view.peek ? "hidden" : "visible";
};

/** @param {Panel} panel */
const repaint = (panel) => {
  showPhoto(panel);
  if (panel.map) paintMap(panel.canvas, panel.map);
  else context2d(panel.canvas).clearRect(0, 0, panel.canvas.width, panel.canvas.height);
  showCrosshair(panel);
};

/** @type {Point | null} The crosshair, shared by all panels. */
let crosshair = null;

/** @param {Panel} panel */
const showCrosshair = (panel) => {
  for (const line of [panel.across, panel.down, panel.reading]) line.style.display = crosshair ? "block" : "none";
  if (!crosshair) return;
  const { x, y } = crosshair;
  panel.across.style.top = `${100 * y}%`;
  panel.down.style.left = `${100 * x}%`;
  setText(panel.reading, readMap(panel.map, x, y));
  setAttribute(panel.reading, "data-side", x > 0.6 && y < 0.3 ? "left" : null);
};

/** @param {Point | null} to null hides the crosshair */
const moveCrosshair = (to) => {
  const clamp = (/** @type {number} */ value) => Math.min(0.999, Math.max(0, value));
  crosshair = to && { x: clamp(to.x), y: clamp(to.y) };
  panels.forEach(showCrosshair);
};

/** @param {boolean} on whether the picture is shown without its maps */
const peek = (on) => {
  if (view.peek !== on) changeView({ peek: on });
};

/**
 * @param {KeyboardEvent} event
 * @param {Panel} panel
 * @param {(text: string) => void} announce
 */
const onKey = (event, panel, announce) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const step = STEPS[event.key];
  if (step) {
    const { x, y } = crosshair ?? { x: 0.5, y: 0.5 };
    const size = event.shiftKey ? 0.1 : 0.02;
    moveCrosshair({ x: x + size * step[0], y: y + size * step[1] });
    if (crosshair) announce(`${panel.entry.title}: ${readMap(panel.map, crosshair.x, crosshair.y)}`);
  } else if (event.key === " ") peek(true);
  else if (event.key === "Enter") enlarge(panel);
  else if (event.key === "Escape") moveCrosshair(null);
  else return;
  event.preventDefault();
};
