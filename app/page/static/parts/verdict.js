/** The answer in words: what the classifier says, where the methods point, and whether that holds when it is tested. */

import { mountPart, send } from "../lib/channel.js";
import { button, icon, make, setAttribute, setShown, setText, showError } from "../lib/dom.js";
import { pictures, problem } from "../lib/view_state.js";

/** @import { Gradio, Phrase, VerdictValue } from "../types" */

const ICONS = /** @type {const} */ ({ good: "check", bad: "warning", warn: "warning", unsure: "unsure" });

/** @param {Gradio<VerdictValue>} gradio */
export const mount = (gradio) => {
  const photo = make("img", { alt: "", class: "cc-photo", draggable: "false" });
  const facts = make("p", { class: "cc-facts" });
  const caption = make("p", { class: "cc-caption" });
  const credit = make("p", { class: "cc-facts" });
  const info = make(
    "details",
    { class: "cc-info" },
    make("summary", { "aria-label": "About this picture", title: "About this picture" }, icon("about")),
  );
  info.append(make("div", { class: "cc-pop" }, caption, facts, credit));
  const tag = make("p", { class: "cc-tag", role: "status" });
  const sentence = make("h2", { class: "cc-sentence" });
  const sure = make("span", { class: "cc-sure" });
  const where = make("div", { class: "cc-where" });
  const error = make("p", { class: "cc-error", role: "alert", hidden: true });
  const stage = make("div", { class: "cc-picturebox" }, photo, info);
  const notes = make("p", { class: "cc-note", role: "note", "data-part": "picture-notes" });
  const hide = button("", "hide", () => gradio.trigger("measure", { kind: offer }), {
    class: "cc-button cc-main",
    "data-part": "hide",
    hidden: true,
  });
  const hideText = make("span");
  hide.append(hideText);
  const choosePage = () => send(gradio, "turn", { page: +pages.value });
  const pages = make("select", { "aria-label": "Page of the picture", on: { change: () => choosePage() } });
  const pageField = make("label", { class: "cc-field", hidden: true }, make("span", {}, "Page"), pages);
  let offer = "";
  const says = make("div", { class: "cc-says" }, tag, sentence, where, hide, notes, pageField, error);
  gradio.element.replaceChildren(make("section", { class: "cc-verdictbox", "aria-label": "Answer", id: "cc-says" }, stage, says));
  pictures.subscribe(({ photo: uri, width = 1, height = 1 }) => {
    if (uri) setAttribute(photo, "src", uri);
    setShown(stage, Boolean(uri));
    stage.style.aspectRatio = `${width} / ${height}`;
  });
  problem.subscribe((text) => showError(error, text));
  mountPart(gradio, (value) => {
    setAttribute(photo, "alt", value.alt ?? "");
    setText(caption, value.caption ?? "");
    setText(facts, value.facts ?? "");
    setText(credit, value.credit ?? "");
    setText(notes, value.notes ?? "");
    setShown(notes, Boolean(value.notes));
    offer = value.offer?.kind ?? "";
    setShown(hide, Boolean(offer));
    setText(hideText, value.offer?.text ?? "");
    const count = value.pages ?? 1;
    setShown(pageField, count > 1);
    if (pages.options.length !== count) {
      pages.replaceChildren(...Array.from({ length: count }, (_, i) => make("option", { value: i + 1 }, `${i + 1} of ${count}`)));
    }
    pages.value = String(value.page ?? 1);
    const tone = value.tag?.tone ?? "unsure";
    setShown(tag, Boolean(value.tag));
    if (tag.dataset.text !== value.tag?.text) tag.replaceChildren(icon(ICONS[tone]), value.tag?.text ?? "");
    tag.dataset.text = value.tag?.text ?? "";
    setAttribute(tag, "data-tone", tone);
    const words = JSON.stringify([value.sentence, value.sure, value.where]);
    if (gradio.element.dataset.words !== words) {
      setText(sure, value.sure ? ` \u00b7 ${value.sure}` : "");
      sentence.replaceChildren(value.sentence ?? "", sure);
      where.replaceChildren(...(value.where ?? []).map((line) => make("p", {}, ...line.map(phrase))));
      gradio.element.dataset.words = words;
    }
    gradio.element.dataset.run = String(value.run ?? "");
  });
};

/** @param {Phrase} one */
const phrase = ([text, strong]) => (strong ? make("b", {}, text) : text);
