/* A region drawn on the picture, by pointer or keys; the server measures every map in it. */
(() => {
  const page = window.crosscheck;
  const { make, button, say, set } = page;

  page.region = (kit) => {
    page.start();
    let value = {}, points = [], shape = "rectangle", from = null;
    const photo = make("img", { alt: "", class: "cc-photo", draggable: "false" }), outline = make("img", { alt: "", class: "cc-truth", draggable: "false", hidden: true });
    const line = document.createElementNS("http://www.w3.org/2000/svg", "polygon"), overlay = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    overlay.setAttribute("viewBox", "0 0 1 1");
    overlay.setAttribute("preserveAspectRatio", "none");
    overlay.append(line);
    const stage = make("div", { class: "cc-map cc-draw", tabindex: "0", role: "application", "aria-roledescription": "drawing area",
      "aria-label": "Draw a region: drag with the pointer; or arrows move a rectangle, Shift and arrows change its size, Enter measures" }, photo, outline, overlay);
    const lead = make("p", { class: "cc-facts" }), sentence = make("p", { class: "cc-verdict", role: "status" }), error = make("p", { class: "cc-error", role: "alert", hidden: true });
    const read = make("p", { class: "cc-facts" }), table = make("table", { class: "cc-located" });
    const file = make("input", { type: "file", accept: "image/*", class: "cc-hidden", tabindex: "-1", "aria-label": "Choose a mask" });
    const shapes = [["rectangle", "Rectangle"], ["free", "Freehand"]].map(([name, label]) => make("button", { type: "button", class: "cc-choice", "data-shape": name, "aria-pressed": String(name === shape), on: { click: () => {
      shape = name;
      for (const node of shapes) set(node, "aria-pressed", String(node.dataset.shape === name));
    } } }, label));
    const known = button("Take the known evidence", null, () => { points = []; draw(); send({ known: true }); }, { id: "cc-known" });
    const tools = make("div", { class: "cc-row" }, make("div", { class: "cc-choices", role: "group", "aria-label": "Shape" }, ...shapes), known,
      button("Upload a mask", "upload", () => file.click()), button("Clear", "close", () => { points = []; draw(); send({}); }), file);
    kit.element.replaceChildren(make("section", { class: "cc-card cc-region", "aria-label": "Where should it look?" }, make("h2", {}, "Where should it look?"), lead, tools, error,
      make("div", { class: "cc-region-columns" }, stage, make("div", {}, sentence, make("div", { class: "cc-scroll", tabindex: "0", role: "region", "aria-label": "How much of each map lies in the region" }, table), read))));

    const send = (data) => kit.trigger("region", data);
    const draw = () => {
      line.setAttribute("points", points.map(([x, y]) => `${x},${y}`).join(" "));
      set(outline, "hidden", points.length || !value.outline ? "" : null);
    };
    const box = (a, b) => [[Math.min(a[0], b[0]), Math.min(a[1], b[1])], [Math.max(a[0], b[0]), Math.min(a[1], b[1])], [Math.max(a[0], b[0]), Math.max(a[1], b[1])], [Math.min(a[0], b[0]), Math.max(a[1], b[1])]];
    const clamp = (number) => Math.min(1, Math.max(0, number));
    const at = (event) => {
      const place = stage.getBoundingClientRect();
      return [clamp((event.clientX - place.left) / place.width), clamp((event.clientY - place.top) / place.height)];
    };
    stage.addEventListener("pointerdown", (event) => {
      from = at(event);
      points = [from];
      stage.setPointerCapture(event.pointerId);
      event.preventDefault();
      stage.focus({ preventScroll: true });
    });
    stage.addEventListener("pointermove", (event) => {
      if (!from) return;
      const here = at(event), last = points.at(-1);
      if (shape === "rectangle") points = box(from, here);
      else if (Math.hypot(here[0] - last[0], here[1] - last[1]) > 0.008 && points.length < 399) points.push(here);
      draw();
    });
    stage.addEventListener("pointerup", () => {
      from = null;
      if (points.length >= 3) send({ points });
      else points = [];
      draw();
    });
    stage.addEventListener("pointercancel", () => { from = null; points = []; draw(); });
    stage.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: [-0.02, 0], ArrowRight: [0.02, 0], ArrowUp: [0, -0.02], ArrowDown: [0, 0.02] }[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (step) {
        if (points.length !== 4) points = box([0.35, 0.35], [0.65, 0.65]);
        const [a, , b] = points, moved = (corner) => [clamp(corner[0] + step[0]), clamp(corner[1] + step[1])];
        points = event.shiftKey ? box(a, [Math.max(a[0] + 0.02, moved(b)[0]), Math.max(a[1] + 0.02, moved(b)[1])]) : box(moved(a), moved(b));
        say(sentence, `Rectangle from ${points[0].map((number) => Math.round(100 * number)).join(", ")} to ${points[2].map((number) => Math.round(100 * number)).join(", ")} %. Enter measures.`);
        draw();
      } else if (event.key === "Enter" && points.length >= 3) send({ points });
      else return;
      event.preventDefault();
    });
    file.addEventListener("change", async () => {
      const mask = file.files[0];
      file.value = "";
      if (!mask) return;
      try {
        const answer = await (await fetch(`crosscheck/picture?name=${encodeURIComponent(mask.name.slice(-80))}`, { method: "POST", body: mask })).json();
        points = [];
        draw();
        if (answer.error) tell(answer.error);
        else send({ token: answer.token });
      } catch { tell("The mask did not reach the page's server; check the connection and choose it again."); }
    });
    const tell = (text) => {
      say(error, text);
      set(error, "hidden", text ? null : "");
    };
    page.showRegion = () => {
      if (document.documentElement.dataset.open !== "trust" || !page.pictures?.photo) return; // a second copy of the picture only where it is seen
      set(photo, "src", page.pictures.photo);
      stage.style.aspectRatio = `${page.pictures.width} / ${page.pictures.height}`;
    };
    page.part(kit, (next) => {
      value = next;
      say(lead, value.lead ?? "");
      say(sentence, value.sentence ?? "");
      tell(value.error ?? "");
      set(known, "hidden", value.known ? null : "");
      if (value.outline) set(outline, "src", value.outline);
      if (!from && !value.error) points = [];
      draw();
      const rows = value.rows ?? [], told = JSON.stringify(rows);
      set(read, "hidden", rows.length ? null : "");
      say(read, value.read ?? "");
      if (table.dataset.told !== told) {
        const head = make("tr", {}, make("th", { scope: "col" }, "Map"), ...(value.columns ?? []).map((name) => make("th", { scope: "col" }, name)));
        const row = (one) => make("tr", { "data-baseline": one.baseline ? "yes" : null, "data-row": one.title }, make("th", { scope: "row" }, one.title), ...one.cells.map((cell) => make("td", {}, cell)));
        table.replaceChildren(...(rows.length ? [make("caption", { class: "cc-hidden" }, "How much of each map lies in the region"), make("thead", {}, head), make("tbody", {}, ...rows.map(row))] : []));
      }
      table.dataset.told = told;
      page.showRegion();
      kit.element.dataset.run = value.run ?? "";
      kit.element.dataset.rows = String(rows.length);
    });
  };
})();
