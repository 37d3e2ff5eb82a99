/** One map after the other over the whole screen, with large captions: for a projector. */

import { button, make, setAttribute, setText } from "../lib/dom.js";
import { config, panels } from "../lib/view_state.js";
import { follow, largeStage, mapLayers, openDialog } from "./dialogs.js";

/** @import { Panel } from "../types" */

/** Opens the presentation at what the methods share; arrows move on, Escape leaves. */
export const present = () => {
  const shown = () => [...panels.values()].filter((panel) => panel.map && panel.entry.id !== "Votes");
  if (!shown().length) {
    openDialog("Present", make("p", {}, "There is no map yet; wait a moment."));
    return;
  }
  let at = 0;
  const stage = make("div", { class: "cc-present-stage" });
  const step = make("p", { class: "cc-facts" });
  const title = make("h3");
  const says = make("p", { class: "cc-present-says" }, document.querySelector("#cc-says h2")?.textContent ?? "");
  const where = make("p", { class: "cc-present-where" }, document.querySelector("#cc-says .cc-where p")?.textContent ?? "");
  const alt = make("p", { class: "cc-present-where" });
  const legend = make("p", { class: "cc-facts" }, "Bright: it mattered most. Outlined: the strongest tenth.");
  let draw = () => {};
  const show = (/** @type {number} */ next) => {
    const list = shown();
    at = (next + list.length) % list.length;
    const panel = /** @type {Panel} */ (list[at]);
    const layers = mapLayers(panel);
    stage.replaceChildren(largeStage(panel, ...layers.nodes));
    setText(step, `${at + 1} of ${list.length}`);
    setText(title, panel.entry.title);
    setText(alt, panel.entry.alt);
    draw = layers.draw;
    draw();
  };
  const before = button("Back", null, () => show(at - 1), { "aria-keyshortcuts": "ArrowLeft" });
  const next = button("Next map", null, () => show(at + 1), { "aria-keyshortcuts": "ArrowRight", "data-part": "next" });
  const address = make("img", { class: "cc-present-address", alt: "The address of this page as a QR code", hidden: true });
  address.addEventListener("load", () => setAttribute(address, "hidden", null));
  if (config.address) address.src = config.address;
  const text = make(
    "div",
    { class: "cc-present-text" },
    says,
    where,
    step,
    title,
    alt,
    legend,
    make("div", { class: "cc-row" }, before, next),
    address,
  );
  const dialog = openDialog("Present", make("div", { class: "cc-present" }, stage, text));
  setAttribute(dialog, "data-dialog", "present");
  dialog.addEventListener("keydown", (event) => {
    const move = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (move === undefined) return;
    event.preventDefault();
    show(at + move);
  });
  if (document.documentElement.requestFullscreen) document.documentElement.requestFullscreen().catch(() => {});
  dialog.addEventListener("close", () => {
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
  });
  show(0);
  follow(dialog, () => draw());
  next.focus();
};
