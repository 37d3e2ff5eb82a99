/** Deletes the visitor's picture and model from the server at once. */

import { send, takeTokens } from "../lib/channel.js";
import { button, make, setText } from "../lib/dom.js";

/** @import { ForgetValue, Gradio } from "../types" */

/** @param {Gradio<ForgetValue>} gradio */
export const mount = (gradio) => {
  const done = make("span", { class: "cc-facts", role: "status" });
  const forget = button(
    "Delete my picture and model",
    null,
    () => {
      setText(done, "");
      send(gradio, "forget", { tokens: takeTokens() });
    },
    { "data-part": "forget", title: "Deletes from this server what you have brought, and the answers about it; the page begins again" },
  );
  gradio.element.replaceChildren(make("div", { class: "cc-row" }, forget, done));
  gradio.watch("value", () => setText(done, gradio.props.value?.text ?? ""));
};
