/* The picture box: choose, drop, paste or photograph a picture; its bytes go to the server untouched. */
(() => {
  const page = window.crosscheck;

  page.picture = (kit) => {
    page.start();
    const { make, button, say, set } = page;
    const types = ".jpg,.jpeg,.png,.webp,.bmp,.tif,.tiff,.gif,image/*";
    const input = make("input", { type: "file", accept: types, class: "cc-hidden", tabindex: "-1", "aria-label": "Choose a picture file" });
    const photo = make("img", { alt: "", class: "cc-photo", draggable: "false" });
    const hint = make("p", { class: "cc-hint" }, "Drop a picture here");
    const stage = make("div", { class: "cc-drop" }, photo, hint);
    const error = make("p", { class: "cc-error", role: "alert", hidden: true });
    const facts = make("p", { class: "cc-facts" });
    const examples = make("div", { class: "cc-examples", role: "group", "aria-label": "Example pictures" });
    const examplesTitle = make("h3", {}, "Or take one of these");
    const caption = make("p", { class: "cc-caption" }), credit = make("p", { class: "cc-facts" });
    const tell = (text) => {
      say(error, text);
      set(error, "hidden", text ? null : "");
    };

    const send = async (file) => {
      if (!file) return;
      tell("");
      if (file.size > page.config.upload.bytes) return tell(page.config.upload.tooLarge.replace("{size}", (file.size / 1e6).toFixed(1)));
      stage.dataset.busy = "yes";
      try {
        const name = encodeURIComponent((file.name || "picture").slice(-80));
        const response = await fetch(`crosscheck/picture?name=${name}`, { method: "POST", body: file });
        const answer = await response.json();
        if (answer.error) tell(answer.error);
        else page.wish(kit, "pick", { token: answer.token });
      } catch {
        tell("The picture did not reach the page's server; check the connection and choose it again.");
      } finally {
        delete stage.dataset.busy;
      }
    };
    const paste = async () => {
      try {
        for (const item of await navigator.clipboard.read()) {
          const type = item.types.find((kind) => kind.startsWith("image/"));
          if (type) return send(new File([await item.getType(type)], "pasted picture", { type }));
        }
        tell("The clipboard holds no picture; copy one first.");
      } catch {
        tell("The browser keeps the clipboard closed to this button; press Ctrl+V instead.");
      }
    };
    document.addEventListener("paste", (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find((entry) => entry.type.startsWith("image/"));
      if (!file) return;
      event.preventDefault();
      send(file);
    });
    input.addEventListener("change", () => {
      send(input.files[0]);
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
      send(event.dataTransfer.files[0]);
    });

    const buttons = make("div", { class: "cc-row" },
      button("Upload", "upload", () => input.click(), { "data-part": "upload" }),
      button("Paste", "paste", paste, { "data-part": "paste" }),
      button("Camera", "camera", () => page.camera(send, tell), { "data-part": "camera" }));
    kit.element.replaceChildren(make("section", { class: "cc-card cc-picture", "aria-label": "Picture" },
      stage, input, buttons, error, caption, facts, credit, examplesTitle, examples));

    // The same picture lies under the maps, so it travels once, with them.
    page.showPhoto = (uri) => {
      if (uri) set(photo, "src", uri);
      set(photo, "hidden", uri ? null : "");
      set(hint, "hidden", uri ? "" : null);
    };
    page.showPhoto();

    const known = new Map();
    page.part(kit, (value) => {
      set(photo, "alt", value.alt ?? "");
      say(facts, value.facts ?? "");
      say(credit, value.credit ?? "");
      say(caption, value.caption ?? "");
      page.showTruth ? page.showTruth(value.truth ?? "") : (page.truth = value.truth ?? "");
      tell(value.error ?? "");
      const list = value.examples ?? [];
      const order = list.map((entry) => entry.id).join("\n");
      if (examples.dataset.order !== order) {
        examples.dataset.order = order;
        known.clear();
        examples.replaceChildren(...list.map((entry) => {
          const thumb = make("button", { type: "button", class: "cc-thumb", title: entry.title, "aria-label": `Explain the example: ${entry.title}`, "data-example": entry.id,
            on: { click: () => page.wish(kit, "pick", { example: entry.id }) } }, make("img", { src: entry.thumb, alt: "", draggable: "false" }));
          known.set(entry.id, thumb);
          return thumb;
        }));
      }
      for (const [id, thumb] of known) set(thumb, "aria-pressed", String(id === value.example));
      set(examplesTitle, "hidden", list.length ? null : "");
      kit.element.dataset.run = value.run ?? "";
    });
  };

  /** Opens the camera in a dialog and hands over one photograph. */
  page.camera = async (send, tell) => {
    const { make, button } = page;
    if (!navigator.mediaDevices?.getUserMedia) return tell("This browser offers no camera here; it needs a secure (https) or local address.");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      return tell("No camera could be opened; allow it in the browser, or upload a picture.");
    }
    const video = make("video", { autoplay: true, playsinline: true, class: "cc-video" });
    video.muted = true;
    video.srcObject = stream;
    const take = button("Take the picture", "camera", () => {
      const canvas = make("canvas", { width: video.videoWidth, height: video.videoHeight });
      canvas.getContext("2d").drawImage(video, 0, 0);
      canvas.toBlob((blob) => (blob ? send(new File([blob], "camera picture", { type: "image/png" })) : tell("The camera gave no picture; try again.")), "image/png");
      dialog.close();
    }, { "data-part": "take", disabled: true });
    const ready = () => page.set(take, "disabled", video.videoWidth ? null : ""); // before its first frame there is nothing to take
    for (const kind of ["loadeddata", "resize", "playing"]) video.addEventListener(kind, ready);
    const dialog = page.dialog("Camera", video, make("div", { class: "cc-row" }, take));
    dialog.addEventListener("close", () => stream.getTracks().forEach((track) => track.stop()));
  };
})();
