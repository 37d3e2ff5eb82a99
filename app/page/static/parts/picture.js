/** The picture box: choose, drop, paste or photograph a picture; its bytes are sent unchanged. */

import { mountPart, send, upload } from "../lib/channel.js";
import { button, keyedList, make, setAttribute, setShown, setText, showError } from "../lib/dom.js";
import { context2d } from "../lib/maps.js";
import { config, pictures, setTruth } from "../lib/view_state.js";
import { openDialog } from "./dialogs.js";

/** @import { Example, Gradio, PictureValue } from "../types" */

const TYPES = ".jpg,.jpeg,.png,.webp,.bmp,.tif,.tiff,.gif,.avif,.dcm,.dicom,image/*";

/** @param {Gradio<PictureValue>} gradio */
export const mount = (gradio) => {
  const input = make("input", { type: "file", accept: TYPES, class: "cc-hidden", tabindex: "-1", "aria-label": "Choose a picture file" });
  const photo = make("img", { alt: "", class: "cc-photo", draggable: "false" });
  const hint = make("p", { class: "cc-hint" }, "Drop a picture here");
  const stage = make("div", { class: "cc-drop" }, photo, hint);
  const error = make("p", { class: "cc-error", role: "alert", hidden: true });
  const facts = make("p", { class: "cc-facts" });
  const notes = make("p", { class: "cc-note", role: "note", "data-part": "picture-notes" });
  const examples = make("div", { class: "cc-examples", role: "group", "aria-label": "Example pictures" });
  const examplesTitle = make("h3", {}, "Or take one of these");
  const caption = make("p", { class: "cc-caption" });
  const credit = make("p", { class: "cc-facts" });
  const showProblem = (/** @type {string} */ text) => showError(error, text);

  const sendPicture = async (/** @type {File | undefined} */ file) => {
    if (!file) return;
    showProblem("");
    if (file.size > config.upload.bytes) {
      showProblem(config.upload.tooLarge.replace("{size}", (file.size / 1e6).toFixed(1)));
      return;
    }
    stage.dataset.busy = "yes";
    try {
      const answer = await upload("picture", file);
      if (answer.error) showProblem(answer.error);
      else send(gradio, "pick", { token: answer.token });
    } catch {
      showProblem("The picture did not reach the page's server; check the connection and choose it again.");
    } finally {
      delete stage.dataset.busy;
    }
  };
  const paste = async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((kind) => kind.startsWith("image/"));
        if (type) return await sendPicture(new File([await item.getType(type)], "pasted picture", { type }));
      }
      showProblem("The clipboard holds no picture; copy one first.");
    } catch {
      showProblem("The browser keeps the clipboard closed to this button; press Ctrl+V instead.");
    }
  };
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((entry) => entry.type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    sendPicture(file);
  });
  input.addEventListener("change", () => {
    sendPicture(input.files?.[0]);
    input.value = "";
  });
  for (const kind of ["dragenter", "dragover"]) {
    stage.addEventListener(kind, (event) => {
      event.preventDefault();
      stage.dataset.over = "yes";
    });
  }
  for (const kind of ["dragleave", "drop"]) stage.addEventListener(kind, () => delete stage.dataset.over);
  stage.addEventListener("drop", (event) => {
    event.preventDefault();
    sendPicture(event.dataTransfer?.files[0]);
  });

  const buttons = make(
    "div",
    { class: "cc-row" },
    button("Upload", "upload", () => input.click(), { "data-part": "upload" }),
    button("Paste", "paste", paste, { "data-part": "paste" }),
    button("Camera", "camera", () => photograph(sendPicture, showProblem), { "data-part": "camera" }),
  );
  gradio.element.replaceChildren(
    make(
      "section",
      { class: "cc-card cc-picture", "aria-label": "Picture" },
      ...[stage, input, buttons, error, caption, facts, notes, credit, examplesTitle, examples],
    ),
  );
  pictures.subscribe(({ photo: uri }) => {
    if (uri) setAttribute(photo, "src", uri);
    setShown(photo, Boolean(uri));
    setShown(hint, !uri);
  });

  let chosen = "";
  const showExamples = keyedList(examples, {
    key: (/** @type {Example} */ entry) => entry.id,
    create: (entry) => {
      const image = make("img", { alt: "", draggable: "false" });
      const pick = () => send(gradio, "pick", { example: entry.id });
      return { node: make("button", { type: "button", class: "cc-thumb", "data-example": entry.id, on: { click: pick } }, image), image };
    },
    update: ({ node, image }, entry) => {
      setAttribute(node, "title", entry.title);
      setAttribute(node, "aria-label", `Explain the example: ${entry.title}`);
      setAttribute(node, "aria-pressed", String(entry.id === chosen));
      setAttribute(image, "src", entry.thumb);
    },
  });
  mountPart(gradio, (value) => {
    setAttribute(photo, "alt", value.alt ?? "");
    setText(facts, value.facts ?? "");
    setText(notes, value.notes ?? "");
    setText(credit, value.credit ?? "");
    setText(caption, value.caption ?? "");
    setTruth(value.truth ?? "");
    showProblem(value.error ?? "");
    const list = value.examples ?? [];
    chosen = value.example ?? "";
    showExamples(list);
    setShown(examplesTitle, list.length > 0);
    gradio.element.dataset.run = String(value.run ?? "");
  });
};

/**
 * Opens the camera in a dialog and takes one photograph.
 * @param {(file: File) => void} sendPicture
 * @param {(text: string) => void} showProblem
 */
const photograph = async (sendPicture, showProblem) => {
  if (!navigator.mediaDevices?.getUserMedia) {
    showProblem("This browser offers no camera here; it needs a secure (https) or local address.");
    return;
  }
  /** @type {MediaStream} */
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    showProblem("No camera could be opened; allow it in the browser, or upload a picture.");
    return;
  }
  const video = make("video", { autoplay: true, playsinline: true, class: "cc-video" });
  video.muted = true;
  video.srcObject = stream;
  const take = () => {
    const canvas = make("canvas", { width: video.videoWidth, height: video.videoHeight });
    context2d(canvas).drawImage(video, 0, 0);
    canvas.toBlob((blob) => {
      if (blob) sendPicture(new File([blob], "camera picture", { type: "image/png" }));
      else showProblem("The camera gave no picture; try again.");
    }, "image/png");
    dialog.close();
  };
  const shutter = button("Take the picture", "camera", take, { "data-part": "take", disabled: true });
  const ready = () => setAttribute(shutter, "disabled", video.videoWidth ? null : ""); // nothing to take before the first frame
  for (const kind of ["loadeddata", "resize", "playing"]) video.addEventListener(kind, ready);
  const dialog = openDialog("Camera", video, make("div", { class: "cc-row" }, shutter));
  dialog.addEventListener("close", () => stream.getTracks().forEach((track) => track.stop()));
};
