/* One slider takes a picture away in the order of a map, or puts it in: the picture, the bars and all curves follow, and nobody is asked. */
(() => {
  const page = window.crosscheck;
  const { make, say, set } = page;
  let W = 640;
  const H = 300, L = 46, R = 22, T = 12, B = 40;
  const svg = (tag, attributes = {}, ...children) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const share = (value) => (value >= 0.9995 ? "over 99.9 %" : value < 0.0005 ? "under 0.1 %" : `${(100 * value).toFixed(1)} %`);

  page.slides = (kit) => {
    page.start();
    let value = {}, images = {}, wanted = 0, method = "", drawn = "";
    const choose = (name, label, options) => {
      const input = make("select", { id: `cc-${name}`, on: { change: () => show() } }, ...options.map(([id, text]) => make("option", { value: id }, text)));
      return { input, node: make("label", { class: "cc-field" }, make("span", {}, label), input) };
    };
    const kind = choose("slide-kind", "Do", [["deletion", "delete the strongest first"], ["insertion", "insert the strongest first"]]);
    const substrate = choose("slide-substrate", "Instead of the picture", [["mean colour", "its mean colour"], ["blur", "its blur"]]);
    const canvas = make("canvas", { class: "cc-slide", role: "img" });
    const slider = make("input", { type: "range", id: "cc-slide", min: 0, max: 28, step: 1, value: 0, "aria-label": "How much of the picture", on: { input: () => move() } });
    const number = make("span", { class: "cc-number" }), bars = make("div", { class: "cc-bars cc-slide-bars" }), note = make("p", { class: "cc-facts" });
    const chart = svg("svg", { viewBox: `0 0 ${W} ${H}`, class: "cc-chart", role: "img" }), legend = make("div", { class: "cc-curves", role: "group", "aria-label": "Whose map; the area under its curve" });
    const reading = make("p", { class: "cc-facts" });
    const body = make("div", { class: "cc-slides", hidden: true },
      make("div", { class: "cc-row" }, kind.node, substrate.node),
      make("div", { class: "cc-slide-columns" },
        make("div", { class: "cc-slide-left" }, canvas, make("label", { class: "cc-field cc-slide-field" }, slider, number), bars),
        make("div", {}, chart, reading, legend)), note);
    const empty = make("p", { class: "cc-facts" }, "Press \u201cDelete and insert\u201d above: the classifier is asked once about every step, then the slider shows them all.");
    kit.element.replaceChildren(make("section", { class: "cc-card cc-slidebox", "aria-label": "Delete and insert" }, make("h2", {}, "Does the answer follow the map?"), empty, body));

    const group = () => value.curves?.[`${kind.input.value} ${substrate.input.value}`];
    const percent = (step) => Math.round((100 * step) / (value.count || 1));
    const x = (step) => L + ((W - L - R) * step) / value.count, y = (p) => T + (H - T - B) * (1 - p);
    const path = (values) => values.map((p, step) => `${step ? "L" : "M"}${x(step).toFixed(1)} ${y(p).toFixed(1)}`).join("");

    const draw = () => {
      W = Math.max(260, Math.round(chart.clientWidth || W));
      chart.setAttribute("viewBox", `0 0 ${W} ${H}`);
      const now = group(), deletes = kind.input.value === "deletion";
      const target = value.classes.find((one) => one.explained)?.label ?? "";
      const lines = [0, 0.25, 0.5, 0.75, 1].flatMap((p) => [svg("line", { x1: L, x2: W - R, y1: y(p), y2: y(p), class: "cc-gridline" }), svg("text", { x: L - 6, y: y(p) + 4, "text-anchor": "end" }, `${100 * p} %`)]);
      const ticks = [0, 25, 50, 75, 100].map((p) => svg("text", { x: x((value.count * p) / 100), y: H - B + 18, "text-anchor": "middle" }, `${p} %`));
      const band = svg("path", { class: "cc-band", d: `${path(now.high)}L${now.low.map((p, step) => `${x(step).toFixed(1)} ${y(p).toFixed(1)}`).reverse().join("L")}Z` });
      const curves = value.methods.map((one) => svg("path", { class: "cc-curve", "data-curve": one.id, "data-style": one.style, "data-chosen": one.id === method ? "yes" : "no", d: path(now.lines[one.id].values) }));
      curves.sort((a, b) => (a.dataset.chosen === "yes") - (b.dataset.chosen === "yes"));
      const axis = svg("text", { x: (L + W - R) / 2, y: H - 6, "text-anchor": "middle" }, `share of the picture ${deletes ? "deleted" : "inserted"}`);
      chart.replaceChildren(...lines, ...ticks, axis, band, ...curves, svg("line", { class: "cc-marker", y1: T, y2: H - B }));
      const areas = value.methods.map((one) => `${one.title} ${now.lines[one.id].area}`).join(", ");
      set(chart, "aria-label", `Confidence in ${target} by share of the picture ${deletes ? "deleted" : "inserted"}. Areas: ${areas}; random order ${now.randomArea}.`);
      say(reading, `Confidence in \u201c${target}\u201d. ${deletes ? "A faithful map makes it fall early: a small area is good." : "A faithful map makes it rise early: a large area is good."} Grey: three random orders, area ${now.randomArea}. ${now.remark}`);
      legend.replaceChildren(...value.methods.map((one) => make("button", { type: "button", class: "cc-curve-key", "data-key": one.id, "aria-pressed": String(one.id === method), on: { click: () => { method = one.id; show(); legend.querySelector(`[data-key=${one.id}]`)?.focus(); } } },
        svg("svg", { viewBox: "0 0 28 8", "aria-hidden": "true" }, svg("path", { class: "cc-curve", "data-style": one.style, "data-chosen": "yes", d: "M0 4L28 4" })), make("span", {}, one.title), make("span", { class: "cc-number" }, now.lines[one.id].area))));
    };
    const move = () => {
      const step = +slider.value, now = group();
      if (!now) return;
      const deletes = kind.input.value === "deletion", words = `${percent(step)} % ${deletes ? "deleted" : "inserted"}`;
      say(number, words);
      set(slider, "aria-valuetext", words);
      const marker = chart.querySelector(".cc-marker");
      for (const end of ["x1", "x2"]) marker?.setAttribute(end, x(step));
      const row = now.lines[method].bars[step];
      value.classes.forEach((one, i) => {
        const bar = bars.children[i];
        say(bar.querySelector(".cc-label"), one.label);
        say(bar.querySelector(".cc-share"), share(row[i]));
        bar.querySelector(".cc-fill").style.width = `${100 * row[i]}%`;
        set(bar, "data-value", row[i]);
      });
      set(canvas, "aria-label", `The picture with ${words} in the order of ${value.methods.find((one) => one.id === method).title}`);
      picture(step, deletes);
    };
    const picture = (step, deletes) => {
      const steps = images[method], photo = images.photo, fill = images[`${kind.input.value} ${substrate.input.value}`];
      if (!steps || !photo || !fill) return;
      const out = new ImageData(photo.width, photo.height);
      for (let i = 0; i < out.data.length; i += 4) {
        const from = (steps.data[i] <= step) === deletes ? fill : photo;
        out.data[i] = from.data[i];
        out.data[i + 1] = from.data[i + 1];
        out.data[i + 2] = from.data[i + 2];
        out.data[i + 3] = 255;
      }
      canvas.width = photo.width;
      canvas.height = photo.height;
      canvas.getContext("2d").putImageData(out, 0, 0);
      set(canvas, "data-step", step);
    };
    const show = () => {
      set(empty, "hidden", group() ? "" : null);
      set(body, "hidden", group() ? null : "");
      if (!group()) return;
      if (!value.methods.some((one) => one.id === method)) method = value.methods[0].id;
      if (bars.children.length !== value.classes.length)
        bars.replaceChildren(...value.classes.map(() => make("div", { class: "cc-bar" }, make("span", { class: "cc-label" }), make("span", { class: "cc-track" }, make("span", { class: "cc-fill" })), make("span", { class: "cc-share" }))));
      draw();
      move();
    };
    const load = async () => {
      const turn = ++wanted, found = {};
      const uris = { photo: page.pictures?.seen, ...value.fills, ...Object.fromEntries(value.methods.map((one) => [one.id, one.steps])) };
      await Promise.all(Object.entries(uris).map(async ([name, uri]) => { found[name] = await page.pixels(uri); }));
      if (turn !== wanted) return;
      images = found;
      move();
      kit.element.dataset.loaded = value.run;
    };
    for (const event of ["pointerdown", "pointermove"]) chart.addEventListener(event, (given) => {
      if (event === "pointermove" && !given.buttons) return;
      const box = chart.getBoundingClientRect(), at = ((given.clientX - box.left) / box.width) * W;
      slider.value = Math.round(((at - L) / (W - L - R)) * value.count);
      move();
    });
    new ResizeObserver(() => {
      if (!group() || !chart.clientWidth || Math.abs(chart.clientWidth - W) < 2) return;
      draw();
      move();
    }).observe(chart);
    page.part(kit, (next) => {
      value = next;
      const groups = Object.keys(value.curves ?? {});
      for (const option of [...kind.input.options]) option.disabled = groups.length > 0 && !groups.some((name) => name.startsWith(option.value));
      if (groups.length && !group()) [kind.input.value, substrate.input.value] = [groups[0].split(" ")[0], groups[0].split(" ").slice(1).join(" ")];
      slider.max = value.count ?? 28;
      say(note, value.note ?? "");
      show();
      const key = JSON.stringify([value.methods?.map((one) => one.steps), value.fills]);
      if (groups.length && key !== drawn) load().catch((error) => console.error(error));
      drawn = key;
      kit.element.dataset.run = value.run ?? "";
      kit.element.dataset.groups = String(groups.length);
    });
  };
})();
