/* What opens over the page: a map enlarged, two maps under a slider, the card of a method. Escape closes, focus returns. */
(() => {
  const page = window.crosscheck;
  const { make, button, say, set } = page;

  /** Opens a dialog with a title; it leaves the page when closed and gives the focus back. */
  page.dialog = (title, ...children) => {
    const before = document.activeElement;
    const close = make("button", { type: "button", class: "cc-small", "aria-label": "Close", on: { click: () => dialog.close() } }, page.icon("close"));
    const dialog = make("dialog", { class: "cc-dialog", "aria-label": title }, make("header", {}, make("h2", {}, title), close), ...children.filter(Boolean));
    dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      before?.focus?.();
    });
    document.querySelector(".gradio-container").append(dialog);
    dialog.showModal();
    return dialog;
  };

  /** Keeps what a dialog shows in step with the maps while it is open. */
  const follow = (dialog, draw) => {
    page.listeners.push(draw);
    const timer = setInterval(draw, 500);
    dialog.addEventListener("close", () => {
      page.listeners.splice(page.listeners.indexOf(draw), 1);
      clearInterval(timer);
    });
    draw();
  };

  const layer = (panel) => {
    const photo = make("img", { alt: "", class: "cc-photo" }), canvas = make("canvas", { class: "cc-heat" }), truth = make("img", { alt: "", class: "cc-truth" });
    let painted = "";
    const draw = () => {
      const key = `${panel.uri.length}${panel.entry.version}${JSON.stringify(page.view)}`;
      const wanted = page.view.seen ? panel.pictures.seen : panel.pictures.photo;
      if (wanted) set(photo, "src", wanted);
      if (page.truth) set(truth, "src", page.truth);
      set(truth, "hidden", page.truth && page.view.truth ? null : "");
      photo.style.visibility = page.view.mode === "heat" && panel.map ? "hidden" : "visible";
      if (panel.map && key !== painted) page.paint(canvas, panel.map);
      painted = key;
    };
    return { nodes: [photo, canvas, truth], draw };
  };

  const stage = (panel, ...children) => {
    const node = make("div", { class: "cc-map cc-large" }, ...children);
    const { width = 1, height = 1 } = panel.pictures;
    node.style.aspectRatio = `${width} / ${height}`;
    node.style.width = `min(100%, calc((100dvh - 13rem) * ${width / height}))`;
    return node;
  };

  page.larger = (panel) => {
    const one = layer(panel), reading = make("span", { class: "cc-facts" }, "Touch the map or move over it to read it.");
    const map = stage(panel, ...one.nodes);
    set(map, "role", "img");
    for (const kind of ["pointerdown", "pointermove"]) map.addEventListener(kind, (event) => {
      const box = map.getBoundingClientRect();
      const share = page.probe(panel.map, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
      if (share === null) return;
      say(reading, `${page.reading(panel.map, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height)} of this map's strongest value`);
    });
    const caption = make("p"), note = make("p");
    const dialog = page.dialog(panel.entry.title, map, caption, note, reading);
    set(dialog, "data-dialog", "larger");
    follow(dialog, () => {
      one.draw();
      set(map, "aria-label", panel.entry.alt);
      say(caption, panel.entry.alt);
      say(note, panel.entry.note);
      set(note, "hidden", panel.entry.note ? null : "");
    });
  };

  page.compare = (first, second) => {
    const ready = [...page.panels.values()].filter((panel) => panel.map);
    if (ready.length < 2) return page.dialog("Compare two maps", make("p", {}, "Two finished maps are needed; wait a moment."));
    let pair = [ready.find((panel) => panel.entry.id === first) ?? ready[0], ready.find((panel) => panel.entry.id === second) ?? ready.at(-1)];
    const body = make("div", { class: "cc-compare" });
    let drawing = () => {};
    const build = () => {
      const [a, b] = pair.map(layer);
      const over = make("div", { class: "cc-over" }, ...b.nodes), edge = make("span", { class: "cc-edge" });
      const map = stage(pair[0], ...a.nodes, over, edge);
      const slider = make("input", { type: "range", min: 0, max: 100, value: 50, class: "cc-wipe", "aria-label": "How much of the first map", on: { input: () => wipe() } });
      const wipe = () => {
        over.style.clipPath = `inset(0 0 0 ${slider.value}%)`;
        edge.style.left = `${slider.value}%`;
      };
      map.append(slider);
      body.replaceChildren(map);
      drawing = () => { a.draw(); b.draw(); };
      wipe();
      drawing();
    };
    const picks = pair.map((panel, which) => {
      const select = make("select", { "aria-label": which ? "Right map" : "Left map", on: { change: () => { pair[which] = page.panels.get(select.value); build(); } } },
        ...ready.map((one) => make("option", { value: one.entry.id, selected: one === panel }, one.entry.title)));
      return select;
    });
    build();
    const dialog = page.dialog("Compare two maps", make("div", { class: "cc-row cc-spread" }, ...picks), body, make("p", { class: "cc-facts" }, "Drag over the picture, or use the arrow keys."));
    set(dialog, "data-dialog", "compare");
    follow(dialog, () => drawing());
    body.querySelector("input").focus();
    return dialog;
  };

  page.card = (entry) => {
    const method = page.config.methods[entry.id] ?? page.config.words.summaries[entry.id];
    const row = (name, text) => [make("dt", {}, name), make("dd", {}, text)];
    const facts = make("dl", {}, ...row("Formula", make("code", {}, method.formula)), ...row("Source", method.source), ...row("Asks the classifier for", method.asks),
      ...row("Costs", method.costs), ...row("Known to fail", method.fails));
    const dialog = page.dialog(method.title, make("p", {}, method.about), facts, ...(method.parameters.length ? [form(method, entry, () => dialog.close())] : []));
    set(dialog, "data-dialog", "card");
  };

  /** The parameters of a method as controls; what the server refuses comes back as a sentence in the status line. */
  const form = (method, entry, close) => {
    const inputs = new Map();
    const fields = method.parameters.map((one) => {
      const value = entry.parameters?.[one.name] ?? one.default;
      let input, number = null;
      if (one.options) input = make("select", {}, ...one.options.map((option) => make("option", { value: option, selected: option === value }, option)));
      else {
        number = make("span", { class: "cc-number" }, String(value));
        input = make("input", { type: "range", min: one.low, max: one.high, step: one.step, value, on: { input: () => say(number, input.value) } });
      }
      set(input, "name", one.name);
      inputs.set(one.name, input);
      return make("label", { class: "cc-field cc-wide" }, make("span", {}, make("strong", {}, one.name.replaceAll("_", " ")), ` \u2013 ${one.help}`), input, number);
    });
    const values = () => Object.fromEntries([...inputs].map(([name, input]) => [name, input.type === "range" ? +input.value : input.value]));
    const send = (chosen) => {
      page.wish(page.kit, "parameters", { method: entry.id, values: chosen });
      close();
    };
    return make("form", { class: "cc-form", on: { submit: (event) => { event.preventDefault(); send(values()); } } }, make("h3", {}, "Parameters"), ...fields,
      make("div", { class: "cc-row" }, make("button", { type: "submit", class: "cc-button cc-main" }, "Explain with these"),
        button("Back to the defaults", null, () => send({}))));
  };
})();
