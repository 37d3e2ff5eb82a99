/** The maps: what they share, large, and one tile per method, by kind; and a shared crosshair. Repainting sends no request. */

import { mountPart, send } from "../lib/channel.js";
import { button, icon, keyedList, make, makeSvg, setAttribute, setShown, setText } from "../lib/dom.js";
import { context2d, decode, readMap } from "../lib/maps.js";
import { enlargedMap, outlineOf, paintPanel } from "../lib/painting.js";
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
const SIDE = 320; // pixels of a tile's canvas
const LARGE_SIDE = 640;
const MOST_IN_FOUR_COLUMNS = 8;

/** @param {Gradio<GridValue>} gradio */
export const mount = (gradio) => {
  const tiles = make("div", { class: "cc-tiles" });
  const known = createKnown();
  const grid = make("div", { class: "cc-grid" }, tiles, known.node);
  const toolbar = createToolbar();
  const intro = make("p", { class: "cc-hidden" });
  const section = make("section", { "aria-label": "Maps", class: "cc-maps" }, toolbar.node, intro, grid);
  gradio.element.replaceChildren(section);
  onViewChange(() => Promise.all([...panels.values()].map(repaint)));
  grid.addEventListener("pointerleave", (event) => {
    if (event.pointerType === "mouse") moveCrosshair(null);
  });
  /** @type {GridValue} */
  let value = {};
  const showPanels = keyedList(tiles, {
    key: (/** @type {PanelEntry} */ entry) => entry.id,
    create: (entry) => create(entry, gradio, toolbar.announce, grid),
    update: (panel, entry) => update(panel, entry, value.picture ?? {}, value.run),
    items: panels,
  });
  mountPart(gradio, (next) => {
    value = next;
    const list = value.panels ?? [];
    const { width = 1, height = 1 } = value.picture ?? {};
    section.style.setProperty("--cc-aspect", (width / height).toFixed(4));
    setAttribute(grid, "data-columns", list.filter((entry) => !entry.summary).length > MOST_IN_FOUR_COLUMNS ? 5 : 4);
    showPanels(list);
    showKinds(list);
    setText(intro, value.summary ?? "");
    pictures.set(value.picture ?? {});
    known.show(value.picture ?? {});
    toolbar.showClass(value.target ?? "");
    gradio.element.dataset.run = String(value.run ?? "");
    gradio.element.dataset.panels = String(list.length);
    gradio.element.dataset.maps = String(list.filter((entry) => entry.map).length);
    gradio.element.dataset.done = String(list.filter((entry) => entry.final).length);
  });
};

/** The tile of what was planted in the picture, where that is known. */
const createKnown = () => {
  const photo = make("img", { alt: "", class: "cc-photo", draggable: "false" });
  const outline = make("img", { alt: "", class: "cc-truth", draggable: "false" });
  const stage = make(
    "div",
    { class: "cc-map", role: "img", "aria-label": "What was planted in this picture to make its class" },
    photo,
    outline,
  );
  const kind = make("p", { class: "cc-kind" }, make("b", {}, "Known answer"));
  const caption = make(
    "div",
    { class: "cc-caption-row" },
    make("h3", {}, "What was planted"),
    make("span", { class: "cc-state" }, "outlined"),
  );
  const node = make("article", { class: "cc-panel cc-known", hidden: true }, kind, stage, caption);
  truth.subscribe((uri) => {
    if (uri) setAttribute(outline, "src", uri);
    setShown(node, uri !== "");
  });
  const show = (/** @type {Pictures} */ { photo: uri, width = 1, height = 1 }) => {
    if (uri) setAttribute(photo, "src", uri);
    stage.style.aspectRatio = `${width} / ${height}`;
  };
  return { node, show };
};

/**
 * The kind of each tile stands above the first of its kind.
 * @param {PanelEntry[]} list
 */
const showKinds = (list) => {
  let before = "";
  for (const entry of list) {
    const panel = panels.get(entry.id);
    if (!panel) continue;
    const again = !entry.summary && entry.family === before;
    const several = list.filter((one) => !one.summary && one.family === entry.family).length;
    panel.kind.replaceChildren(
      again ? "" : make("b", {}, entry.family),
      !again && several > 1 && !entry.summary ? make("small", {}, entry.kindNote) : "",
    );
    before = entry.summary ? "" : entry.family;
  }
};

/**
 * @param {PanelEntry} entry
 * @param {Gradio<GridValue>} gradio
 * @param {(text: string) => void} announce
 * @param {HTMLElement} grid
 * @returns {Panel}
 */
const create = (entry, gradio, announce, grid) => {
  const spend = () => send(gradio, "more", { method: entry.id });
  const path = () => makeSvg("path", {});
  const parts = {
    photo: make("img", { alt: "", class: "cc-photo", draggable: "false" }),
    truth: make("img", { alt: "", class: "cc-truth", draggable: "false" }),
    canvas: make("canvas", { class: "cc-heat" }),
    halo: path(),
    line: path(),
    across: make("span", { class: "cc-across" }),
    down: make("span", { class: "cc-down" }),
    reading: make("span", { class: "cc-reading" }),
    cover: make("span", { class: "cc-cover" }),
    title: make("h3"),
    kind: make("p", { class: "cc-kind" }),
    family: make("span", { class: "cc-family" }),
    state: make("span", { class: "cc-state" }),
    time: make("span"),
    cost: make("p", { class: "cc-note cc-cost" }),
    note: make("p", { class: "cc-note" }),
    more: make("button", { type: "button", class: "cc-button cc-more-button", hidden: true, on: { click: spend } }),
  };
  const contour = makeSvg(
    "svg",
    { class: "cc-contour", viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" },
    parts.halo,
    parts.line,
  );
  const layers = [parts.photo, parts.canvas, contour, parts.truth, parts.across, parts.down, parts.reading, parts.cover];
  const stage = make("div", { class: "cc-map", role: "img", tabindex: "0" }, ...layers);
  const openCard = () => methodCard(panel.entry, (values) => send(gradio, "parameters", { method: panel.entry.id, values }));
  const small = { type: "button", class: "cc-small" };
  const about = make("button", { ...small, title: "About this method", on: { click: openCard } }, icon("about"));
  const larger = make("button", { ...small, title: "Enlarge (Enter)", on: { click: () => enlarge(panel) } }, icon("enlarge"));
  const votes = () => setAttribute(grid, "data-votes", entry.id === "Consensus" ? "yes" : null);
  const other = entry.switch ? button(entry.switch, null, votes, { class: "cc-link" }) : null;
  const node = make(
    "article",
    { class: "cc-panel", "data-method": entry.id, "data-summary": entry.summary ? "yes" : null },
    parts.kind,
    stage,
    make("div", { class: "cc-caption-row" }, parts.title, parts.state, other, about, larger),
    make(
      "footer",
      {},
      make("div", { class: "cc-line cc-expert" }, parts.family, parts.time),
      make("div", { class: "cc-expert" }, parts.cost, parts.note),
      parts.more,
    ),
  );
  /** @type {Panel} */
  const panel = { node, stage, about, larger, ...parts, entry, pictures: {}, codes: null, smooth: null, map: null, uri: "" };
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
  stage.addEventListener("dblclick", () => enlarge(panel));
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
  const moved = panel.pictures.photo !== under.photo;
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
  setAttribute(panel.kind, "title", entry.help || null);
  setAttribute(panel.state, "title", entry.wordHelp || null);
  setAttribute(panel.cost, "title", entry.costHelp || null);
  setText(panel.cover, entry.map ? "" : entry.cover || (STATES[entry.state] ?? ""));
  setAttribute(panel.stage, "aria-label", entry.alt);
  setAttribute(panel.about, "aria-label", `About ${entry.title}`);
  setAttribute(panel.larger, "aria-label", `Enlarge ${entry.title}`);
  panel.stage.style.aspectRatio = `${under.width ?? 1} / ${under.height ?? 1}`;
  showPhoto(panel);
  const painted = () => setAttribute(panel.stage, "data-painted", `${run}.${entry.version}`);
  if (panel.uri === entry.map && !moved) {
    if (panel.map) painted();
    return;
  }
  panel.uri = entry.map;
  if (!entry.map) {
    panel.map = panel.codes = panel.smooth = null;
    setAttribute(panel.stage, "data-painted", null);
    repaint(panel);
    return;
  }
  decode(entry.map)
    .then(async (codes) => {
      if (panel.uri !== entry.map) return; // a newer map has arrived
      panel.codes = codes;
      panel.smooth = null;
      await repaint(panel);
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
  panel.photo.style.visibility = view.mode === "heat" && panel.codes && !view.peek ? "hidden" : "visible";
  panel.canvas.style.visibility = view.peek ? "hidden" : "visible";
};

/** @param {Panel} panel */
const repaint = async (panel) => {
  showPhoto(panel);
  const before = panel.map;
  panel.map = enlargedMap(panel, panel.entry.summary ? LARGE_SIDE : SIDE, before);
  showCrosshair(panel);
  if (panel.map !== before) {
    const path = outlineOf(panel);
    for (const line of [panel.halo, panel.line]) setAttribute(line, "d", path || null);
  }
  if (panel.map) await paintPanel(panel.canvas, panel.map, panel);
  else context2d(panel.canvas).clearRect(0, 0, panel.canvas.width, panel.canvas.height);
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
