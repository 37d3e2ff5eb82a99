/** A region drawn on the picture, by pointer or keys; the server measures every map in it. */

import { mountPart, upload } from "../lib/channel.js";
import { button, keyedList, make, makeSvg, setAttribute, setShown, setText, showError } from "../lib/dom.js";
import { openTab, pictures } from "../lib/view_state.js";

/** @import { Gradio, RegionRow, RegionValue } from "../types" */
/** @typedef {[number, number]} Corner x and y in 0..1 of the picture's sides */

const TITLE = "How much of each map lies in the region";
const MOST_POINTS = 399;
const STEPS = /** @type {Record<string, Corner>} */ ({
  ArrowLeft: [-0.02, 0],
  ArrowRight: [0.02, 0],
  ArrowUp: [0, -0.02],
  ArrowDown: [0, 0.02],
});
const SHAPES = [
  ["rectangle", "Rectangle"],
  ["free", "Freehand"],
];

const clamp = (/** @type {number} */ number) => Math.min(1, Math.max(0, number));

/**
 * The rectangle between two corners: upper left, upper right, lower right, lower left.
 * @param {Corner} a
 * @param {Corner} b
 * @returns {Corner[]}
 */
const rectangle = (a, b) => {
  const [left, right] = [Math.min(a[0], b[0]), Math.max(a[0], b[0])];
  const [top, bottom] = [Math.min(a[1], b[1]), Math.max(a[1], b[1])];
  return [
    [left, top],
    [right, top],
    [right, bottom],
    [left, bottom],
  ];
};

/** @param {Gradio<RegionValue>} gradio */
export const mount = (gradio) => {
  /** @type {RegionValue} */
  let value = {};
  /** @type {Corner[]} */
  let points = [];
  let shape = "rectangle";
  /** @type {Corner | null} Where the pointer went down. */
  let from = null;
  const photo = make("img", { alt: "", class: "cc-photo", draggable: "false" });
  const outline = make("img", { alt: "", class: "cc-truth", draggable: "false", hidden: true });
  const line = makeSvg("polygon");
  const overlay = makeSvg("svg", { viewBox: "0 0 1 1", preserveAspectRatio: "none" }, line);
  const stage = make(
    "div",
    {
      ...{ class: "cc-map cc-draw", tabindex: "0", role: "application", "aria-roledescription": "drawing area" },
      "aria-label": "Draw a region: drag with the pointer; or arrows move a rectangle, Shift and arrows change its size, Enter measures",
    },
    ...[photo, outline, overlay],
  );
  const lead = make("p", { class: "cc-facts" });
  const sentence = make("p", { class: "cc-verdict", role: "status" });
  const error = make("p", { class: "cc-error", role: "alert", hidden: true });
  const read = make("p", { class: "cc-facts" });
  const table = make("table", { class: "cc-located" });
  const file = make("input", { type: "file", accept: "image/*", class: "cc-hidden", tabindex: "-1", "aria-label": "Choose a mask" });
  const shapes = SHAPES.map(([name, label]) => {
    const choose = () => {
      shape = name;
      for (const node of shapes) setAttribute(node, "aria-pressed", String(node.dataset.shape === name));
    };
    const attributes = { type: "button", class: "cc-choice", "data-shape": name, "aria-pressed": String(name === shape) };
    return make("button", { ...attributes, on: { click: choose } }, label);
  });
  const sendRegion = (/** @type {object} */ data) => gradio.trigger("region", data);
  const replace = (/** @type {object} */ data) => {
    points = [];
    draw();
    sendRegion(data);
  };
  const known = button("Take the known evidence", null, () => replace({ known: true }), { id: "cc-known" });
  const tools = make(
    "div",
    { class: "cc-row" },
    make("div", { class: "cc-choices", role: "group", "aria-label": "Shape" }, ...shapes),
    known,
    button("Upload a mask", "upload", () => file.click()),
    button("Clear", "close", () => replace({})),
    file,
  );
  const scroll = make("div", { class: "cc-scroll", tabindex: "0", role: "region", "aria-label": TITLE }, table);
  gradio.element.replaceChildren(
    make(
      "section",
      { class: "cc-card cc-region", "aria-label": "Where should it look?" },
      make("h2", {}, "Where should it look?"),
      ...[lead, tools, error],
      make("div", { class: "cc-region-columns" }, stage, make("div", {}, sentence, scroll, read)),
    ),
  );

  const draw = () => {
    line.setAttribute("points", points.map(([x, y]) => `${x},${y}`).join(" "));
    setShown(outline, points.length === 0 && Boolean(value.outline));
  };
  /**
   * @param {PointerEvent} event
   * @returns {Corner}
   */
  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
  };
  stage.addEventListener("pointerdown", (event) => {
    from = place(event);
    points = [from];
    stage.setPointerCapture(event.pointerId);
    event.preventDefault();
    stage.focus({ preventScroll: true });
  });
  stage.addEventListener("pointermove", (event) => {
    if (!from) return;
    const here = place(event);
    const last = points[points.length - 1];
    if (shape === "rectangle") points = rectangle(from, here);
    else if (Math.hypot(here[0] - last[0], here[1] - last[1]) > 0.008 && points.length < MOST_POINTS) points.push(here);
    draw();
  });
  stage.addEventListener("pointerup", () => {
    from = null;
    if (points.length >= 3) sendRegion({ points });
    else points = [];
    draw();
  });
  stage.addEventListener("pointercancel", () => {
    from = null;
    points = [];
    draw();
  });
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEPS[event.key];
    if (step) moveRectangle(step, event.shiftKey);
    else if (event.key === "Enter" && points.length >= 3) sendRegion({ points });
    else return;
    event.preventDefault();
  });
  const moveRectangle = (/** @type {Corner} */ step, /** @type {boolean} */ resize) => {
    if (points.length !== 4) points = rectangle([0.35, 0.35], [0.65, 0.65]);
    const [a, , b] = points;
    /** @type {(corner: Corner) => Corner} */
    const moved = (corner) => [clamp(corner[0] + step[0]), clamp(corner[1] + step[1])];
    const end = moved(b);
    points = resize ? rectangle(a, [Math.max(a[0] + 0.02, end[0]), Math.max(a[1] + 0.02, end[1])]) : rectangle(moved(a), end);
    const percent = (/** @type {Corner} */ corner) => corner.map((number) => Math.round(100 * number)).join(", ");
    setText(sentence, `Rectangle from ${percent(points[0])} to ${percent(points[2])} %. Enter measures.`);
    draw();
  };
  file.addEventListener("change", async () => {
    const mask = file.files?.[0];
    file.value = "";
    if (!mask) return;
    try {
      const answer = await upload("picture", mask);
      points = [];
      draw();
      if (answer.error) showError(error, answer.error);
      else sendRegion({ token: answer.token });
    } catch {
      showError(error, "The mask did not reach the page's server; check the connection and choose it again.");
    }
  });

  const showPhoto = () => {
    const { photo: uri, width, height } = pictures.value;
    if (openTab.value !== "trust" || !uri) return; // a second copy of the picture only where it is visible
    setAttribute(photo, "src", uri);
    stage.style.aspectRatio = `${width} / ${height}`;
  };
  pictures.subscribe(showPhoto);
  openTab.subscribe(showPhoto);

  const rowsBody = make("tbody");
  const showRows = keyedList(rowsBody, {
    key: (/** @type {RegionRow} */ row) => `${row.baseline} ${row.title} ${row.cells.join(" ")}`,
    create: (row) => {
      const cells = row.cells.map((cell) => make("td", {}, cell));
      const attributes = { "data-baseline": row.baseline ? "yes" : null, "data-row": row.title };
      return { node: make("tr", attributes, make("th", { scope: "row" }, row.title), ...cells) };
    },
  });
  mountPart(gradio, (next) => {
    value = next;
    setText(lead, value.lead ?? "");
    setText(sentence, value.sentence ?? "");
    showError(error, value.error ?? "");
    setShown(known, Boolean(value.known));
    if (value.outline) setAttribute(outline, "src", value.outline);
    if (!from && !value.error) points = [];
    draw();
    const rows = value.rows ?? [];
    setShown(read, rows.length > 0);
    setText(read, value.read ?? "");
    showRows(rows);
    if (!rows.length) table.replaceChildren();
    else if (!table.firstChild) {
      const heads = ["Map", ...(value.columns ?? [])].map((name) => make("th", { scope: "col" }, name));
      table.replaceChildren(make("caption", { class: "cc-hidden" }, TITLE), make("thead", {}, make("tr", {}, ...heads)), rowsBody);
    }
    gradio.element.dataset.run = String(value.run ?? "");
    gradio.element.dataset.rows = String(rows.length);
  });
};
