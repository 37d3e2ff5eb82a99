/* How all maps are shown: mode, opacity, how much of the area, colours. Nothing here asks the server. */
(() => {
  const page = window.crosscheck;
  const { make, button, say, set } = page;

  const modes = [["overlay", "Overlay", "The map over the picture"], ["heat", "Heat only", "The map alone"], ["spotlight", "Spotlight", "The picture, dark where the map is weak"]];

  page.toolbar = () => {
    const shown = modes.map(([mode, label, title]) =>
      make("button", { type: "button", class: "cc-choice", title, "data-mode": mode, "aria-pressed": String(mode === page.view.mode), on: { click: () => choose(mode) } }, label));
    const choose = (mode) => {
      for (const node of shown) set(node, "aria-pressed", String(node.dataset.mode === mode));
      page.change({ mode });
    };
    const slider = (id, label, title, low, value, text) => {
      const number = make("span", { class: "cc-number" }, text(value));
      const input = make("input", { type: "range", id, min: low, max: 100, value, title, on: { input: () => {
        say(number, text(+input.value));
        page.change(id === "cc-opacity" ? { opacity: +input.value } : { strongest: +input.value });
      } } });
      return make("label", { class: "cc-field", title }, make("span", {}, label), input, number);
    };
    const select = (id, label, key, names) => {
      const input = make("select", { id, on: { change: () => { page.change({ [key]: input.value }); legends(); } } },
        ...names.map((name) => make("option", { value: name }, page.config.colours.titles[name] ?? name)));
      return make("label", { class: "cc-field" }, make("span", {}, label), input);
    };
    const legend = (key, left, middle, right) => {
      const canvas = make("canvas", { width: 256, height: 1, class: "cc-ramp" });
      const node = make("span", { class: "cc-legend" }, make("span", {}, left), make("span", { class: "cc-rampbox" }, canvas, middle ? make("span", { class: "cc-zero" }, middle) : null), make("span", {}, right));
      const draw = () => {
        const table = page.colours(page.view[key]), image = new ImageData(256, 1);
        for (let i = 0; i < 256; i++) image.data.set([table[3 * i], table[3 * i + 1], table[3 * i + 2], 255], 4 * i);
        canvas.getContext("2d").putImageData(image, 0, 0);
      };
      draw();
      return { node, draw };
    };
    const plain = legend("colours", "none", "", "strongest"), signed = legend("signedColours", "against", "0", "for");
    const legends = () => { plain.draw(); signed.draw(); };
    const seen = make("input", { type: "checkbox", id: "cc-seen", on: { change: () => page.change({ seen: seen.checked }) } });
    const truth = make("input", { type: "checkbox", id: "cc-truth", on: { change: () => page.change({ truth: truth.checked }) } });
    const truthField = make("label", { class: "cc-field", title: "What was planted in this picture to make its class" }, truth, make("span", {}, "Outline true evidence"));
    /** Only some examples have evidence that is known; for others there is nothing to outline. */
    page.showTruth = (uri) => {
      set(truthField, "hidden", uri ? null : "");
      if (page.truth === uri) return;
      page.truth = uri;
      page.change({});
    };
    set(truthField, "hidden", page.truth ? null : "");
    page.spoken = make("p", { class: "cc-hidden", role: "status", "aria-live": "polite" });
    const more = make("details", { class: "cc-more" }, make("summary", {}, "Colours and reading help"),
      make("div", { class: "cc-row" },
        select("cc-colours", "Maps of evidence for", "colours", page.config.colours.plain),
        select("cc-signed", "Maps of evidence for and against", "signedColours", page.config.colours.signed),
        make("label", { class: "cc-field" }, seen, make("span", {}, "Show the picture as the classifier gets it"))),
      make("p", { class: "cc-facts" }, page.config.words.scale),
      make("p", { class: "cc-facts" }, page.config.words.keys),
      make("dl", { class: "cc-glossary" }, ...page.config.words.glossary.map(([word, meaning]) => make("div", {}, make("dt", {}, word), make("dd", {}, meaning)))));
    return make("div", { class: "cc-card cc-toolbar", role: "group", "aria-label": "How the maps are shown" },
      make("div", { class: "cc-row" },
        make("div", { class: "cc-choices", role: "group", "aria-label": "View" }, ...shown),
        slider("cc-opacity", "Opacity", "How much of the colour covers the picture", 0, page.view.opacity, (value) => `${value} %`),
        slider("cc-strongest", "Strongest", "Show only the strongest part of each map", 1, 100, (value) => (value >= 100 ? "whole map" : `${value} % of area`)),
        button("Compare two", "compare", () => page.compare(), { "data-part": "compare" }), truthField, plain.node, signed.node, more),
      page.spoken);
  };
})();
