/** The prediction: a bar for each of the likeliest classes; pressing a bar explains its class. */

import { mountPart, send } from "../lib/channel.js";
import { keyedList, make, setAttribute, setShown, setText } from "../lib/dom.js";

/** @import { Bar, Gradio, PredictionValue } from "../types" */

/** @param {Gradio<PredictionValue>} gradio */
export const mount = (gradio) => {
  const bars = make("div", { class: "cc-bars", role: "group", "aria-label": "The likeliest classes; press one to explain it" });
  const note = make("p", { class: "cc-facts" });
  const more = make("details", { class: "cc-why" }, make("summary", {}, "How sure is that?"), note);
  const about = make("p", { class: "cc-about" });
  gradio.element.replaceChildren(
    make("section", { class: "cc-prediction", "aria-label": "Prediction" }, bars, make("div", { class: "cc-barfoot" }, about, more)),
  );

  let classifier = "";
  const showBars = keyedList(bars, {
    key: (/** @type {Bar} */ entry) => `${classifier} ${entry.index}`,
    create: (entry) => {
      const fill = make("span", { class: "cc-fill" });
      const label = make("span", { class: "cc-label" });
      const share = make("span", { class: "cc-share" });
      const explain = () => send(gradio, "target", { index: entry.index });
      const track = make("span", { class: "cc-track" }, fill);
      return { node: make("button", { type: "button", class: "cc-bar", on: { click: explain } }, label, track, share), fill, label, share };
    },
    update: ({ node, fill, label, share }, entry) => {
      setText(label, entry.label);
      setText(share, entry.share);
      fill.style.width = `${100 * entry.size}%`;
      setAttribute(node, "aria-pressed", String(entry.explained));
      setAttribute(node, "data-rather", entry.rather ? "yes" : null);
      setAttribute(node, "title", entry.description);
      setAttribute(node, "data-class", entry.index);
    },
  });
  /** @type {boolean | undefined} */
  let caution;
  mountPart(gradio, (value) => {
    setText(note, value.note ?? "");
    setShown(more, Boolean(value.note));
    if (caution !== Boolean(value.caution)) more.open = caution = Boolean(value.caution);
    setText(about, value.about ?? "");
    const list = value.bars ?? [];
    classifier = value.classifier ?? "";
    showBars(list);
    gradio.element.dataset.run = String(value.run ?? "");
    gradio.element.dataset.bars = String(list.length);
  });
};
