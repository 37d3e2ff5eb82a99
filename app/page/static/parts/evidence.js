/** A line of evidence per method, whose chips open their numbers, and the buttons that start measurements. */

import { mountPart, send } from "../lib/channel.js";
import { button, keyedList, make, setAttribute, setShown, setText, textList } from "../lib/dom.js";

/** @import { Chip, EvidenceValue, Gradio, Line, Offer } from "../types" */

/** @param {Gradio<EvidenceValue>} gradio */
export const mount = (gradio) => {
  const lead = make("p", { class: "cc-verdict" });
  const lines = make("ul", { class: "cc-lines" });
  const offers = make("div", { class: "cc-asks" });
  const fill = make("span", { class: "cc-fill" });
  const text = make("p", { class: "cc-now" });
  const error = make("p", { class: "cc-facts cc-measure-error", role: "status" });
  const stop = button("Stop measuring", "close", () => gradio.trigger("halt", {}), { id: "cc-halt" });
  const track = make("div", { class: "cc-track cc-measured" }, fill);
  const work = make("div", { class: "cc-row cc-measuring", hidden: true }, track, text, stop);
  const waiting = make("p", { class: "cc-facts" }, "Each method\u2019s evidence stands here once the maps are finished.");
  gradio.element.replaceChildren(
    make(
      "section",
      { class: "cc-card cc-trust", "aria-label": "Which do I believe?" },
      make("h2", {}, "Which do I believe?"),
      ...[lead, waiting, lines, work, error],
      make("h3", {}, "Ask for more evidence"),
      offers,
    ),
  );
  const showLines = keyedList(lines, {
    key: (/** @type {Line} */ entry) => entry.id,
    create: (entry) => createLine(entry, gradio),
    update: (line, entry) => line.update(entry),
  });
  const showOffers = keyedList(offers, {
    key: (/** @type {Offer} */ offer) => offer.kind,
    create: (offer) => createOffer(offer, gradio),
    update: (item, offer) => item.update(offer),
  });
  mountPart(gradio, (value) => {
    const entries = value.lines ?? [];
    setText(lead, value.lead ?? "");
    setShown(waiting, entries.length === 0);
    showLines(entries);
    showOffers(value.buttons ?? []);
    setShown(work, Boolean(value.running));
    fill.style.width = `${100 * (value.share ?? 0)}%`;
    setText(text, value.progress ?? "");
    setText(error, value.error ?? "");
    gradio.element.dataset.run = String(value.run ?? "");
    gradio.element.dataset.running = value.running ?? "";
  });
};

/**
 * A method's line: its chips, of which one may be open, and the button for more evaluations.
 * @param {Line} entry
 * @param {Gradio<EvidenceValue>} gradio
 */
const createLine = (entry, gradio) => {
  const title = make("h3");
  const chips = make("div", { class: "cc-chips" });
  const detail = make("div", { class: "cc-detail", hidden: true });
  const state = make("p", { class: "cc-facts" });
  const spend = () => send(gradio, "more", { method: entry.id });
  const more = make("button", { type: "button", class: "cc-button cc-more-button", hidden: true, on: { click: spend } });
  const node = make("li", { "data-line": entry.id }, title, state, chips, more, detail);
  let current = entry;
  let open = "";

  const showDetail = textList(detail);
  const unfold = () => {
    for (const [name, item] of items) setAttribute(item.node, "aria-expanded", String(name === open));
    const shown = current.chips.find((chip) => chip.name === open);
    setShown(detail, Boolean(shown));
    showDetail(shown?.detail ?? []);
  };
  const toggle = (/** @type {string} */ name) => {
    open = open === name ? "" : name;
    unfold();
  };
  /** @type {Map<unknown, ReturnType<typeof createChip>>} */
  const items = new Map();
  const showChips = keyedList(chips, {
    key: (/** @type {Chip} */ chip) => chip.name,
    create: (chip) => createChip(chip, () => toggle(chip.name)),
    update: (item, chip) => item.update(chip),
    items,
  });
  const update = (/** @type {Line} */ next) => {
    current = next;
    setText(title, next.title);
    setText(state, next.state);
    setShown(more, Boolean(next.more));
    setText(more, next.more?.text ?? "");
    showChips(next.chips);
    unfold();
  };
  return { node, update };
};

/**
 * @param {Chip} chip
 * @param {() => void} toggle
 */
const createChip = ({ name }, toggle) => {
  const text = make("span");
  const lights = make("span", { class: "cc-lights", "aria-hidden": "true" });
  const label = make("span", { class: "cc-chip-name" }, name);
  const node = make("button", { type: "button", class: "cc-chip", "data-chip": name, on: { click: toggle } }, label, lights, text);
  const showLights = keyedList(lights, {
    key: (/** @type {{ tone: string, name: string }} */ light, index) => `${index} ${light.tone} ${light.name}`,
    create: (light) => ({ node: make("i", { "data-tone": light.tone, title: light.name }) }),
  });
  const update = (/** @type {Chip} */ chip) => {
    setText(text, chip.text);
    setAttribute(node, "data-tone", chip.tone);
    showLights(chip.lights ?? []);
  };
  return { node, update };
};

/**
 * A measurement that can be started, with its cost.
 * @param {Offer} offer
 * @param {Gradio<EvidenceValue>} gradio
 */
const createOffer = ({ kind, help }, gradio) => {
  const title = make("strong");
  const cost = make("span", { class: "cc-facts" });
  const measure = () => gradio.trigger("measure", { kind });
  const press = make("button", { type: "button", class: "cc-button", "data-measure": kind, on: { click: measure } }, title);
  const node = make("div", { class: "cc-ask" }, press, make("p", { class: "cc-facts" }, help), cost);
  const update = (/** @type {Offer} */ offer) => {
    setText(title, offer.done ? `\u2713 ${offer.title}` : offer.title);
    setText(cost, `${offer.cost[0].toUpperCase()}${offer.cost.slice(1)}.`);
    setAttribute(press, "disabled", offer.ready ? null : "");
  };
  return { node, update };
};
