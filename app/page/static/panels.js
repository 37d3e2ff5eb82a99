/* The grid: a panel a method, a map over the picture, one crosshair through all of them. Repainting asks nothing of the server. */
(() => {
  const page = window.crosscheck;
  const { make, button, say, set } = page;
  const panels = new Map();
  page.panels = panels;

  page.grid = (kit) => {
    page.start();
    const grid = make("div", { class: "cc-grid" });
    kit.element.replaceChildren(make("section", { "aria-label": "Maps" }, page.toolbar(), grid));
    page.kit = kit;
    page.listeners.push(() => panels.forEach(repaint));
    grid.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && point(null));
    page.part(kit, (value) => {
      const list = value.panels ?? [], order = list.map((entry) => entry.id).join(" ");
      if (grid.dataset.order !== order) {
        for (const [id, panel] of panels) if (!list.some((entry) => entry.id === id)) { panel.node.remove(); panels.delete(id); }
        for (const entry of list) if (!panels.has(entry.id)) panels.set(entry.id, create(entry));
        grid.replaceChildren(...list.map((entry) => panels.get(entry.id).node));
        grid.dataset.order = order;
      }
      for (const entry of list) update(panels.get(entry.id), entry, value);
      page.pictures = value.picture ?? {};
      page.showPhoto?.(value.picture?.photo);
      page.showRegion?.();
      kit.element.dataset.run = value.run ?? "";
      kit.element.dataset.panels = String(list.length);
      kit.element.dataset.maps = String(list.filter((entry) => entry.map).length);
      kit.element.dataset.done = String(list.filter((entry) => entry.final).length);
    });
  };

  const create = (entry) => {
    const parts = {
      photo: make("img", { alt: "", class: "cc-photo", draggable: "false" }), truth: make("img", { alt: "", class: "cc-truth", draggable: "false" }),
      canvas: make("canvas", { class: "cc-heat" }),
      across: make("span", { class: "cc-across" }), down: make("span", { class: "cc-down" }), reading: make("span", { class: "cc-reading" }),
      cover: make("span", { class: "cc-cover" }), title: make("h3"), family: make("span", { class: "cc-family" }),
      state: make("span", { class: "cc-state" }), time: make("span"), cost: make("p", { class: "cc-note cc-cost" }), note: make("p", { class: "cc-note" }),
      more: make("button", { type: "button", class: "cc-button cc-more-button", hidden: true, on: { click: () => page.wish(page.kit, "more", { method: entry.id }) } }),
    };
    const stage = make("div", { class: "cc-map", role: "img", tabindex: "0" }, parts.photo, parts.canvas, parts.truth, parts.across, parts.down, parts.reading, parts.cover);
    const about = make("button", { type: "button", class: "cc-small", title: "About this method", on: { click: () => page.card(panel.entry) } }, page.icon("about"));
    const larger = make("button", { type: "button", class: "cc-small", title: "Enlarge (Enter)", on: { click: () => page.larger(panel) } }, page.icon("enlarge"));
    const node = make("article", { class: "cc-panel", "data-method": entry.id },
      make("header", {}, parts.title, parts.family, about, larger), stage,
      make("footer", {}, make("div", { class: "cc-line" }, parts.state, parts.time), parts.cost, parts.note, parts.more));
    const panel = { node, stage, about, larger, ...parts, entry, map: null, uri: "" };
    for (const kind of ["pointerdown", "pointermove"]) stage.addEventListener(kind, (event) => {
      const box = stage.getBoundingClientRect();
      point({ x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height });
    });
    stage.addEventListener("keydown", (event) => key(event, panel));
    stage.addEventListener("keyup", (event) => event.key === " " && bare(false));
    stage.addEventListener("blur", () => bare(false));
    return panel;
  };

  const update = (panel, entry, value) => {
    const words = { waiting: "waiting", computing: "computing\u2026" };
    panel.entry = entry;
    panel.pictures = value.picture ?? {};
    set(panel.node, "data-state", entry.state);
    say(panel.title, entry.title);
    say(panel.family, entry.family);
    say(panel.state, entry.word);
    say(panel.cost, entry.cost);
    say(panel.time, entry.time);
    say(panel.note, entry.note);
    set(panel.more, "hidden", entry.more ? null : "");
    say(panel.more, entry.more?.text ?? "");
    set(panel.family, "title", entry.help || null);
    set(panel.state, "title", entry.wordHelp || null);
    set(panel.cost, "title", entry.costHelp || null);
    say(panel.cover, entry.map ? "" : words[entry.state] ?? "");
    set(panel.stage, "aria-label", entry.alt);
    set(panel.about, "aria-label", `About ${entry.title}`);
    set(panel.larger, "aria-label", `Enlarge ${entry.title}`);
    panel.stage.style.aspectRatio = `${panel.pictures.width ?? 1} / ${panel.pictures.height ?? 1}`;
    show(panel);
    const painted = () => set(panel.stage, "data-painted", `${value.run}.${entry.version}`);
    if (panel.uri === entry.map) {
      if (panel.map) painted();
      return;
    }
    panel.uri = entry.map;
    if (!entry.map) {
      panel.map = null;
      set(panel.stage, "data-painted", null);
      repaint(panel);
      return;
    }
    page.decode(entry.map).then((codes) => {
      if (panel.uri !== entry.map) return;
      const { width = codes.w, height = codes.h } = panel.pictures, times = Math.max(1, Math.ceil(224 / Math.max(width, height)));
      const W = width * times, H = height * times;
      panel.map = { W, H, signed: entry.signed, shares: page.enlarge(codes, H, W, entry.signed) };
      repaint(panel);
      painted();
    }).catch((error) => console.error(error));
  };

  const show = (panel) => {
    const { photo, seen } = panel.pictures, wanted = page.view.seen ? seen : photo;
    if (wanted) set(panel.photo, "src", wanted);
    set(panel.photo, "data-pixels", page.view.seen ? "yes" : null);
    if (page.truth) set(panel.truth, "src", page.truth);
    set(panel.truth, "hidden", page.truth && page.view.truth ? null : "");
    panel.photo.style.visibility = page.view.mode === "heat" && panel.map && !page.view.bare ? "hidden" : "visible";
    panel.canvas.style.visibility = page.view.bare ? "hidden" : "visible";
  };

  const repaint = (panel) => {
    show(panel);
    if (panel.map) page.paint(panel.canvas, panel.map);
    else panel.canvas.getContext("2d").clearRect(0, 0, panel.canvas.width, panel.canvas.height);
    read(panel);
  };

  const read = (panel) => {
    const at = page.cross;
    for (const line of [panel.across, panel.down, panel.reading]) line.style.display = at ? "block" : "none";
    if (!at) return;
    panel.across.style.top = `${100 * at.y}%`;
    panel.down.style.left = `${100 * at.x}%`;
    say(panel.reading, page.reading(panel.map, at.x, at.y));
    set(panel.reading, "data-side", at.x > 0.6 && at.y < 0.3 ? "left" : null);
  };

  /** Moves the crosshair of all panels; null takes it away. */
  const point = (at) => {
    const clamp = (value) => Math.min(0.999, Math.max(0, value));
    page.cross = at && { x: clamp(at.x), y: clamp(at.y) };
    panels.forEach(read);
  };

  const bare = (on) => page.view.bare !== on && page.change({ bare: on });

  const key = (event, panel) => {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }, step = steps[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (step) {
      const at = page.cross ?? { x: 0.5, y: 0.5 }, size = event.shiftKey ? 0.1 : 0.02;
      point({ x: at.x + size * step[0], y: at.y + size * step[1] });
      say(page.spoken, `${panel.entry.title}: ${page.reading(panel.map, page.cross.x, page.cross.y)}`);
    } else if (event.key === " ") bare(true);
    else if (event.key === "Enter") page.larger(panel);
    else if (event.key === "Escape") point(null);
    else return;
    event.preventDefault();
  };
})();
