/** A slider deletes or inserts a picture in the order of a map; picture, bars and curves follow without a request. */

import { mountPart } from "../lib/channel.js";
import { keyedList, make, makeSvg, setAttribute, setShown, setText } from "../lib/dom.js";
import { pixels, putImage } from "../lib/maps.js";
import { pictures } from "../lib/view_state.js";

/** @import { CurvesValue, Gradio } from "../types" */

const H = 300;
const LEFT = 46;
const RIGHT = 22;
const TOP = 12;
const BOTTOM = 40;
const EMPTY = /** @type {CurvesValue} */ ({ count: 0, methods: [], fills: {}, classes: [], curves: {}, note: "" });
const KINDS = [
  ["deletion", "delete the strongest first"],
  ["insertion", "insert the strongest first"],
];
const SUBSTRATES = [
  ["mean colour", "its mean colour"],
  ["blur", "its blur"],
];
const HINT = "Press \u201cDelete and insert\u201d above: the classifier is asked once about every step, then the slider shows them all.";

/** @param {number} value a probability */
const formatShare = (value) => {
  if (value >= 0.9995) return "over 99.9 %";
  return value < 0.0005 ? "under 0.1 %" : `${(100 * value).toFixed(1)} %`;
};

/** @param {Gradio<CurvesValue>} gradio */
export const mount = (gradio) => {
  let value = EMPTY;
  /** @type {Record<string, ImageData>} */
  let images = {};
  let loads = 0;
  let loaded = "";
  let method = "";
  let W = 640;

  const choose = (/** @type {string} */ id, /** @type {string} */ label, /** @type {string[][]} */ options) => {
    const nodes = options.map(([name, text]) => make("option", { value: name }, text));
    const input = make("select", { id, on: { change: () => show() } }, ...nodes);
    return { input, node: make("label", { class: "cc-field" }, make("span", {}, label), input) };
  };
  const kind = choose("cc-slide-kind", "Do", KINDS);
  const substrate = choose("cc-slide-substrate", "Instead of the picture", SUBSTRATES);
  const canvas = make("canvas", { class: "cc-slide", role: "img" });
  const range = { type: "range", id: "cc-slide", min: 0, max: 28, step: 1, value: 0, "aria-label": "How much of the picture" };
  const slider = make("input", { ...range, on: { input: () => move() } });
  const number = make("span", { class: "cc-number" });
  const bars = make("div", { class: "cc-bars cc-slide-bars" });
  const note = make("p", { class: "cc-facts" });
  const chart = makeSvg("svg", { viewBox: `0 0 ${W} ${H}`, class: "cc-chart", role: "img" });
  const legend = make("div", { class: "cc-curves", role: "group", "aria-label": "Whose map; the area under its curve" });
  const reading = make("p", { class: "cc-facts" });
  const body = make(
    "div",
    { class: "cc-slides", hidden: true },
    make("div", { class: "cc-row" }, kind.node, substrate.node),
    make(
      "div",
      { class: "cc-slide-columns" },
      make("div", { class: "cc-slide-left" }, canvas, make("label", { class: "cc-field cc-slide-field" }, slider, number), bars),
      make("div", {}, chart, reading, legend),
    ),
    note,
  );
  const empty = make("p", { class: "cc-facts" }, HINT);
  gradio.element.replaceChildren(
    make(
      "section",
      { class: "cc-card cc-slidebox", "aria-label": "Delete and insert" },
      make("h2", {}, "Does the answer follow the map?"),
      ...[empty, body],
    ),
  );

  const groupName = () => `${kind.input.value} ${substrate.input.value}`;
  const group = () => value.curves[groupName()];
  const deletes = () => kind.input.value === "deletion";
  const percent = (/** @type {number} */ step) => Math.round((100 * step) / (value.count || 1));
  const x = (/** @type {number} */ step) => LEFT + ((W - LEFT - RIGHT) * step) / value.count;
  const y = (/** @type {number} */ p) => TOP + (H - TOP - BOTTOM) * (1 - p);
  const point = (/** @type {number} */ p, /** @type {number} */ step) => `${x(step).toFixed(1)} ${y(p).toFixed(1)}`;
  const path = (/** @type {number[]} */ values) => values.map((p, step) => `${step ? "L" : "M"}${point(p, step)}`).join("");

  const showLegend = keyedList(legend, {
    key: (/** @type {CurvesValue["methods"][number]} */ one) => one.id,
    create: (one) => {
      const line = makeSvg("path", { class: "cc-curve", "data-chosen": "yes", d: "M0 4L28 4" });
      const title = make("span");
      const area = make("span", { class: "cc-number" });
      const press = () => {
        method = one.id;
        show();
      };
      const sample = makeSvg("svg", { viewBox: "0 0 28 8", "aria-hidden": "true" }, line);
      const attributes = { type: "button", class: "cc-curve-key", "data-key": one.id };
      return { node: make("button", { ...attributes, on: { click: press } }, sample, title, area), line, title, area };
    },
    update: ({ node, line, title, area }, one) => {
      setAttribute(line, "data-style", one.style);
      setText(title, one.title);
      setText(area, group().lines[one.id].area);
      setAttribute(node, "aria-pressed", String(one.id === method));
    },
  });
  const showBars = keyedList(bars, {
    key: (/** @type {{ label: string, p: number }} */ _bar, index) => index,
    create: () => {
      const label = make("span", { class: "cc-label" });
      const fill = make("span", { class: "cc-fill" });
      const share = make("span", { class: "cc-share" });
      return { node: make("div", { class: "cc-bar" }, label, make("span", { class: "cc-track" }, fill), share), label, fill, share };
    },
    update: ({ node, label, fill, share }, bar) => {
      setText(label, bar.label);
      setText(share, formatShare(bar.p));
      fill.style.width = `${100 * bar.p}%`;
      setAttribute(node, "data-value", bar.p);
    },
  });

  const draw = () => {
    W = Math.max(260, Math.round(chart.clientWidth || W));
    chart.setAttribute("viewBox", `0 0 ${W} ${H}`);
    const now = group();
    const target = value.classes.find((one) => one.explained)?.label ?? "";
    const lines = [0, 0.25, 0.5, 0.75, 1].flatMap((p) => [
      makeSvg("line", { x1: LEFT, x2: W - RIGHT, y1: y(p), y2: y(p), class: "cc-gridline" }),
      makeSvg("text", { x: LEFT - 6, y: y(p) + 4, "text-anchor": "end" }, `${100 * p} %`),
    ]);
    const ticks = [0, 25, 50, 75, 100].map((p) =>
      makeSvg("text", { x: x((value.count * p) / 100), y: H - BOTTOM + 18, "text-anchor": "middle" }, `${p} %`),
    );
    const axisText = `share of the picture ${deletes() ? "deleted" : "inserted"}`;
    const axis = makeSvg("text", { x: (LEFT + W - RIGHT) / 2, y: H - 6, "text-anchor": "middle" }, axisText);
    const band = makeSvg("path", { class: "cc-band", d: `${path(now.high)}L${now.low.map(point).reverse().join("L")}Z` });
    const chosenLast = [...value.methods].sort((a, b) => +(a.id === method) - +(b.id === method));
    const curves = chosenLast.map((one) => {
      const attributes = { "data-curve": one.id, "data-style": one.style, "data-chosen": one.id === method ? "yes" : "no" };
      return makeSvg("path", { class: "cc-curve", ...attributes, d: path(now.lines[one.id].values) });
    });
    const marker = makeSvg("line", { class: "cc-marker", y1: TOP, y2: H - BOTTOM });
    chart.replaceChildren(...lines, ...ticks, axis, band, ...curves, marker);
    const areas = value.methods.map((one) => `${one.title} ${now.lines[one.id].area}`).join(", ");
    const by = `Confidence in ${target} by ${axisText}`;
    setAttribute(chart, "aria-label", `${by}. Areas: ${areas}; random order ${now.randomArea}.`);
    const good = deletes()
      ? "A faithful map makes it fall early: a small area is good."
      : "A faithful map makes it rise early: a large area is good.";
    const random = `Grey: three random orders, area ${now.randomArea}.`;
    setText(reading, `Confidence in \u201c${target}\u201d. ${good} ${random} ${now.remark}`);
    showLegend(value.methods);
  };
  const move = () => {
    const now = group();
    if (!now) return;
    const step = +slider.value;
    const words = `${percent(step)} % ${deletes() ? "deleted" : "inserted"}`;
    setText(number, words);
    setAttribute(slider, "aria-valuetext", words);
    const marker = chart.querySelector(".cc-marker");
    for (const end of ["x1", "x2"]) marker?.setAttribute(end, String(x(step)));
    const row = now.lines[method].bars[step];
    showBars(value.classes.map((one, index) => ({ label: one.label, p: row[index] })));
    const title = value.methods.find((one) => one.id === method)?.title;
    setAttribute(canvas, "aria-label", `The picture with ${words} in the order of ${title}`);
    paintStep(step);
  };
  const paintStep = (/** @type {number} */ step) => {
    const { [method]: steps, [groupName()]: fill, photo } = images;
    if (!steps || !photo || !fill) return;
    const out = new ImageData(photo.width, photo.height);
    for (let i = 0; i < out.data.length; i += 4) {
      const from = steps.data[i] <= step === deletes() ? fill : photo;
      out.data[i] = from.data[i];
      out.data[i + 1] = from.data[i + 1];
      out.data[i + 2] = from.data[i + 2];
      out.data[i + 3] = 255;
    }
    putImage(canvas, out);
    setAttribute(canvas, "data-step", step);
  };
  const show = () => {
    setShown(empty, !group());
    setShown(body, Boolean(group()));
    if (!group()) return;
    if (!value.methods.some((one) => one.id === method)) method = value.methods[0].id;
    draw();
    move();
  };
  const load = async () => {
    const turn = ++loads;
    const steps = value.methods.map((one) => [one.id, one.steps]);
    const uris = { photo: pictures.value.seen ?? "", ...value.fills, ...Object.fromEntries(steps) };
    const found = await Promise.all(Object.entries(uris).map(async ([name, uri]) => [name, await pixels(uri)]));
    if (turn !== loads) return;
    images = Object.fromEntries(found);
    move();
    gradio.element.dataset.loaded = String(value.run);
  };
  for (const event of /** @type {const} */ (["pointerdown", "pointermove"])) {
    chart.addEventListener(event, (pointer) => {
      if (event === "pointermove" && !pointer.buttons) return;
      const box = chart.getBoundingClientRect();
      const at = ((pointer.clientX - box.left) / box.width) * W;
      slider.value = String(Math.round(((at - LEFT) / (W - LEFT - RIGHT)) * value.count));
      move();
    });
  }
  new ResizeObserver(() => {
    if (!group() || !chart.clientWidth || Math.abs(chart.clientWidth - W) < 2) return;
    draw();
    move();
  }).observe(chart);
  mountPart(gradio, (next) => {
    value = { ...EMPTY, ...next };
    const groups = Object.keys(value.curves);
    for (const option of kind.input.options) {
      option.disabled = groups.length > 0 && !groups.some((name) => name.startsWith(option.value));
    }
    if (groups.length && !group()) {
      const [first, ...rest] = groups[0].split(" ");
      kind.input.value = first;
      substrate.input.value = rest.join(" ");
    }
    slider.max = String(next.count ?? 28);
    setText(note, value.note);
    show();
    const key = JSON.stringify([value.methods.map((one) => one.steps), value.fills]);
    if (groups.length && key !== loaded) load().catch((error) => console.error(error));
    loaded = key;
    gradio.element.dataset.run = String(next.run ?? "");
    gradio.element.dataset.groups = String(groups.length);
  });
};
