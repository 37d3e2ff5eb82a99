/** The rail of pictures: add one, go back to one of this visit, take an example. Files dropped anywhere on the page arrive here too. */

import { mountPart, send, upload } from "../lib/channel.js";
import { button, icon, keyedList, make, setAttribute, setShown } from "../lib/dom.js";
import { context2d } from "../lib/maps.js";
import { config, dropTargets, problem, setTruth } from "../lib/view_state.js";
import { openDialog } from "./dialogs.js";

/** @import { Example, Gradio, PictureValue } from "../types" */

const TYPES = ".jpg,.jpeg,.png,.webp,.bmp,.tif,.tiff,.gif,.avif,.dcm,.dicom,image/*";

/** @param {Gradio<PictureValue>} gradio */
export const mount = (gradio) => {
  const label = "Choose picture files";
  const input = make("input", { type: "file", accept: TYPES, class: "cc-hidden", multiple: true, tabindex: "-1", "aria-label": label });
  const camera = make("input", { type: "file", accept: "image/*", capture: "environment" }); // on no page, only to be clicked

  const sendPicture = async (/** @type {File | undefined} */ file) => {
    if (!file) return;
    problem.set("");
    if (file.size > config.upload.bytes) {
      problem.set(config.upload.tooLarge.replace("{size}", (file.size / 1e6).toFixed(1)));
      return;
    }
    gradio.element.dataset.busy = "yes";
    try {
      const answer = await upload("picture", file);
      if (answer.error) problem.set(answer.error);
      else send(gradio, "pick", { token: answer.token });
    } catch {
      problem.set("The picture did not reach the page's server; check the connection and choose it again.");
    } finally {
      delete gradio.element.dataset.busy;
    }
  };
  const paste = async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((kind) => kind.startsWith("image/"));
        if (type) return await sendPicture(new File([await item.getType(type)], "pasted picture", { type }));
      }
      problem.set("The clipboard holds no picture; copy one first.");
    } catch {
      problem.set("The browser keeps the clipboard closed to this button; press Ctrl+V instead.");
    }
  };
  const photograph = () => {
    const media = /** @type {MediaDevices | undefined} */ (navigator.mediaDevices); // none without https
    if (media) openCamera(sendPicture);
    else camera.click(); // a phone still offers its camera as a file
  };
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((entry) => entry.type.startsWith("image/"));
    if (!file) return;
    event.preventDefault();
    sendPicture(file);
  });
  for (const one of [input, camera]) {
    one.addEventListener("change", () => {
      sendAll([...(one.files ?? [])]);
      one.value = "";
    });
  }
  /** The last one stays on the screen; the others are a press away in the rail. */
  const sendAll = async (/** @type {File[]} */ files) => {
    for (const file of files) await sendPicture(file);
  };
  takeDrops(sendAll);

  const choices = [
    button("Upload", "upload", () => input.click(), { "data-part": "upload" }),
    button("Paste", "paste", paste, { "data-part": "paste" }),
    button("Camera", "camera", photograph, { "data-part": "camera" }),
  ];
  const menu = make(
    "details",
    { class: "cc-add" },
    make("summary", { title: "Add a picture" }, icon("more"), make("span", {}, "Add")),
    make("div", { class: "cc-pop" }, ...choices),
  );
  for (const choice of choices) choice.addEventListener("click", () => (menu.open = false));
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
  document.addEventListener("click", (event) => {
    if (event.target instanceof Node && !menu.contains(event.target)) menu.open = false;
  });
  const visited = make("div", { class: "cc-thumbs cc-visited", role: "group", "aria-label": "Pictures of this visit" });
  const visitedTitle = make("h2", {}, "Your visit");
  const examples = make("div", { class: "cc-thumbs cc-examples", role: "group", "aria-label": "Example pictures" });
  const examplesTitle = make("h2", {}, "Examples");
  gradio.element.replaceChildren(
    make("nav", { class: "cc-picture", "aria-label": "Pictures" }, menu, input, visitedTitle, visited, examplesTitle, examples),
  );
  moveByArrows(visited);
  moveByArrows(examples);

  let chosen = "";
  const thumb = (/** @type {object} */ attributes, /** @type {object} */ data) => {
    const image = make("img", { alt: "", draggable: "false" });
    const pick = () => send(gradio, "pick", data);
    return { node: make("button", { type: "button", class: "cc-thumb", ...attributes, on: { click: pick } }, image), image };
  };
  const showExamples = keyedList(examples, {
    key: (/** @type {Example} */ entry) => entry.id,
    create: (entry) => thumb({ "data-example": entry.id }, { example: entry.id }),
    update: ({ node, image }, entry) => {
      setAttribute(node, "title", entry.title);
      setAttribute(node, "aria-label", `Explain the example: ${entry.title}`);
      setAttribute(node, "aria-pressed", String(entry.id === chosen));
      setAttribute(image, "src", entry.thumb);
    },
  });
  const showVisited = keyedList(visited, {
    key: (/** @type {Example} */ entry) => entry.id,
    create: (entry) => {
      const { node: choose, image } = thumb({ "data-visited": entry.id }, { visited: entry.id });
      const remove = make("button", {
        type: "button",
        class: "cc-remove",
        "aria-label": `Remove ${entry.title}`,
        on: { click: () => send(gradio, "drop", { visited: entry.id }) },
      });
      remove.append(icon("close"));
      return { node: make("div", { class: "cc-visit" }, choose, remove), choose, image };
    },
    update: ({ choose, image }, entry) => {
      setAttribute(choose, "title", entry.title);
      setAttribute(choose, "aria-label", `Back to ${entry.title}`);
      setAttribute(choose, "aria-pressed", String(entry.current ?? false));
      setAttribute(image, "src", entry.thumb);
    },
  });
  mountPart(gradio, (value) => {
    setTruth(value.truth ?? "");
    problem.set(value.error ?? "");
    chosen = value.example ?? "";
    showExamples(value.examples ?? []);
    setShown(examplesTitle, (value.examples ?? []).length > 0);
    showVisited(value.visited ?? []);
    setShown(visitedTitle, (value.visited ?? []).length > 0);
    gradio.element.dataset.run = String(value.run ?? "");
  });
};

/**
 * The whole window takes files: pictures here, a model by the part that brings models.
 * @param {(files: File[]) => void} sendPictures
 */
const takeDrops = (sendPictures) => {
  const root = document.documentElement;
  for (const kind of /** @type {const} */ (["dragenter", "dragover"])) {
    document.addEventListener(kind, (event) => {
      if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
      event.preventDefault();
      root.dataset.over = "yes";
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) delete root.dataset.over;
  });
  document.addEventListener("drop", (event) => {
    const files = [...(event.dataTransfer?.files ?? [])];
    delete root.dataset.over;
    if (!files.length) return;
    event.preventDefault();
    const isModel = (/** @type {File} */ file) =>
      config.upload.modelSuffixes.split(",").some((suffix) => file.name.toLowerCase().endsWith(suffix));
    const model = files.find(isModel);
    if (!model) return sendPictures(files);
    if (dropTargets.model) dropTargets.model(model);
    else problem.set("This page takes no models; its host can allow it with --allow-model-upload.");
  });
};

/**
 * One stop for Tab, arrows inside.
 * @param {HTMLElement} list
 */
const moveByArrows = (list) => {
  list.addEventListener("keydown", (event) => {
    const nodes = /** @type {HTMLElement[]} */ ([...list.querySelectorAll(".cc-thumb")]);
    const at = nodes.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (at < 0 || step === undefined) return;
    event.preventDefault();
    nodes[Math.min(nodes.length - 1, Math.max(0, at + step))].focus();
  });
  const enter = () => {
    const nodes = [...list.querySelectorAll(".cc-thumb")];
    const one = nodes.find((node) => node.getAttribute("aria-pressed") === "true") ?? nodes[0];
    for (const node of nodes) setAttribute(node, "tabindex", node === one ? "0" : "-1");
  };
  new MutationObserver(enter).observe(list, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-pressed"] });
};

/**
 * Opens the camera in a dialog and takes one photograph.
 * @param {(file: File) => void} sendPicture
 */
const openCamera = async (sendPicture) => {
  /** @type {MediaStream} */
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    problem.set("No camera could be opened; allow it in the browser, or upload a picture.");
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
      else problem.set("The camera gave no picture; try again.");
    }, "image/png");
    dialog.close();
  };
  const shutter = button("Take the picture", "camera", take, { "data-part": "take", disabled: true });
  const ready = () => setAttribute(shutter, "disabled", video.videoWidth ? null : ""); // nothing to take before the first frame
  for (const kind of ["loadeddata", "resize", "playing"]) video.addEventListener(kind, ready);
  const dialog = openDialog("Camera", video, make("div", { class: "cc-row" }, shutter));
  dialog.addEventListener("close", () => stream.getTracks().forEach((track) => track.stop()));
};
