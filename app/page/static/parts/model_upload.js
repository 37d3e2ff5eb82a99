/** Uploads a visitor's own model; the server opens it in a confined process. */

import { send, upload } from "../lib/channel.js";
import { button, make, setText, showError } from "../lib/dom.js";
import { config, dropTargets } from "../lib/view_state.js";

/** @import { Gradio } from "../types" */

/** @param {Gradio} gradio */
export const mount = (gradio) => {
  const input = make("input", {
    type: "file",
    accept: config.upload.modelSuffixes,
    class: "cc-hidden",
    tabindex: "-1",
    "aria-label": "Choose a model file",
  });
  const error = make("p", { class: "cc-error", role: "alert", hidden: true });
  const busy = make("span", { class: "cc-facts", role: "status" });

  const sendModel = async (/** @type {File | undefined} */ file) => {
    if (!file) return;
    showError(error, "");
    const { modelBytes, modelTooLarge } = config.upload;
    if (file.size > modelBytes) {
      showError(error, modelTooLarge.replace("{size}", (file.size / 1e6).toFixed(0)));
      return;
    }
    setText(busy, "The model is on its way\u2026");
    try {
      const answer = await upload("model", file);
      if (answer.error) showError(error, answer.error);
      else send(gradio, "bring", { token: answer.token });
    } catch {
      showError(error, "The model did not reach the page's server; check the connection and bring it again.");
    } finally {
      setText(busy, "");
    }
  };
  input.addEventListener("change", () => {
    sendModel(input.files?.[0]);
    input.value = "";
  });
  dropTargets.model = sendModel;
  const title = `${config.upload.modelKinds}; only you see it, and it goes when you leave`;
  const choose = button("Bring a model", "upload", () => input.click(), { "data-part": "bring", title });
  gradio.element.replaceChildren(make("div", { class: "cc-row" }, choose, busy, input), error);
};
