/* The agreement of every pair of maps above chance, as a table; pointing at a pair says it in words and marks both panels. */
(() => {
  const page = window.crosscheck;
  const { make, say, set } = page;

  page.agreement = (kit) => {
    page.start();
    const lead = make("p", { class: "cc-facts" }), sentence = make("p", { class: "cc-verdict", role: "status" }), reading = make("p", { class: "cc-reading-help" });
    const table = make("table", { class: "cc-matrix" }), words = make("div", { class: "cc-words" }), pair = make("p", { class: "cc-pair" });
    const box = make("div", { class: "cc-scroll", tabindex: "0", role: "region", "aria-label": "How far each pair of maps agrees beyond chance" }, table);
    const swipe = make("p", { class: "cc-facts cc-swipe", hidden: true }, "\u2194 Scroll the table sideways: more methods follow.");
    const view = make("select", { id: "cc-measure", on: { change: () => fill() } });
    const legend = make("p", { class: "cc-matrix-legend cc-facts" },
      make("span", { class: "cc-key" }, make("span", { class: "cc-key-ramp", "aria-hidden": "true" }), "0 chance \u2026 1 as well as each agrees with itself"),
      make("span", { class: "cc-key" }, make("span", { class: "cc-key-cell", "data-kind": "chance" }, "chance"), "no better than chance"),
      make("span", { class: "cc-key" }, make("span", { class: "cc-key-cell", "data-kind": "chance" }, "not told"), "p over .05: one picture has little power"),
      make("span", { class: "cc-key" }, make("span", { class: "cc-key-cell", "data-kind": "unsure" }, "?"), "no score: not converged or not reliable"),
      make("span", { class: "cc-key" }, make("span", { class: "cc-key-cell", "data-kind": "kappa" }, "\u2020"), "edges, the centre or an untrained network explain it as well"),
      make("span", { class: "cc-key" }, make("span", { class: "cc-key-cell", "data-kind": "kappa" }, "(\u03ba)"), "\u03ba where there is no \u03ba*: another scale"));
    const measure = () => set(swipe, "hidden", box.scrollWidth > box.clientWidth + 4 ? null : "");
    new ResizeObserver(measure).observe(box);
    const section = make("section", { class: "cc-card cc-agreement", role: "tabpanel", id: "cc-agreement-panel", "aria-label": "Do the methods agree?" },
      make("div", { class: "cc-row cc-spread" }, make("h2", {}, "Do the methods agree?"), make("label", { class: "cc-field" }, make("span", {}, "Show"), view)),
      sentence, reading, lead, make("div", { class: "cc-columns" }, make("div", { class: "cc-tablebox" }, swipe, box, legend), make("div", {}, pair, words)));
    kit.element.replaceChildren(section);
    let cells = new Map(), value = {};

    const find = (a, b) => (value.pairs ?? []).find((one) => (one.a === a && one.b === b) || (one.a === b && one.b === a));
    const mark = (a, b) => {
      for (const [id, panel] of page.panels) set(panel.node, "data-marked", id === a || id === b ? "yes" : null);
      say(pair, find(a, b)?.words ?? value.hint ?? "");
    };
    const build = (methods) => {
      cells = new Map();
      const head = make("tr", {}, make("td"), ...methods.map((one) => make("th", { scope: "col" }, make("span", {}, one.title))));
      const rows = methods.map((row) => make("tr", {}, make("th", { scope: "row" }, row.title), ...methods.map((column) => {
        if (row.id === column.id) return make("td", { class: "cc-same" }, "\u00b7");
        const inner = make("button", { type: "button", on: {
          click: () => page.compare(row.id, column.id), mouseenter: () => mark(row.id, column.id), focus: () => mark(row.id, column.id), mouseleave: () => mark(), blur: () => mark() } });
        cells.set(`${row.id} ${column.id}`, inner);
        return make("td", {}, inner);
      })));
      table.replaceChildren(make("caption", { class: "cc-hidden" }, "How far each pair of maps agrees beyond chance"), make("thead", {}, head), make("tbody", {}, ...rows));
    };
    const fill = () => {
      const chosen = view.value || "kappa", raw = chosen !== "kappa";
      set(section, "data-raw", raw ? "yes" : null);
      say(lead, (raw ? value.rawLead : value.lead) ?? "");
      set(legend, "hidden", raw ? "" : null);
      for (const [key, cell] of cells) {
        const one = find(...key.split(" ")), shown = one?.cells[chosen];
        cell.replaceChildren(shown ? shown.text : "\u2013", ...(shown?.aside ? [make("small", {}, shown.aside)] : []));
        cell.style.background = shown?.colour ?? "";
        cell.style.color = shown?.ink ?? "";
        set(cell, "data-kind", shown?.kind ?? null);
        set(cell, "disabled", one ? null : "");
        set(cell, "aria-label", one ? (raw ? `Raw ${shown.text}, by chance ${shown.aside}. ${one.words}` : one.words) : "not yet known");
      }
    };
    page.part(kit, (next) => {
      value = next;
      const methods = value.methods ?? [], order = methods.map((one) => one.id).join(" ");
      set(section, "hidden", methods.length > 1 ? null : "");
      if (!view.options.length) view.append(...(value.views ?? []).map(([id, label]) => make("option", { value: id }, label)));
      if (table.dataset.order !== order) {
        build(methods);
        table.dataset.order = order;
        measure();
      }
      say(sentence, value.sentence ?? "");
      say(reading, value.reading ?? "");
      if (words.dataset.text !== JSON.stringify(value.words)) {
        words.dataset.text = JSON.stringify(value.words);
        words.replaceChildren(...(value.words ?? []).map((text) => make("p", {}, text)));
      }
      if (!pair.textContent) say(pair, value.hint ?? "");
      fill();
      kit.element.dataset.run = value.run ?? "";
      kit.element.dataset.state = value.state ?? "";
      kit.element.dataset.pairs = String((value.pairs ?? []).length);
    });
  };

  /** The tabs below the maps; which one is open is a word on the page's root, so that parts which mount later obey it too. */
  page.tabs = (kit) => {
    const tabs = [["agreement", "Agreement", "cc-agreement-panel"], ["trust", "Trust", "cc-trusted"], ["doctor", "Doctor", "cc-doctor-panel"]];
    const open = (name, focus) => {
      document.documentElement.dataset.open = name;
      for (const node of nodes) {
        const chosen = node.dataset.tab === name;
        set(node, "aria-selected", String(chosen));
        set(node, "tabindex", chosen ? "0" : "-1");
        if (chosen && focus) node.focus();
      }
      const trusted = document.getElementById("cc-trusted");
      if (trusted) for (const [key, text] of [["role", "tabpanel"], ["aria-label", "Which do I believe?"]]) set(trusted, key, text);
      page.showRegion?.();
    };
    const nodes = tabs.map(([name, label, panel]) => make("button", { type: "button", role: "tab", class: "cc-tab", "data-tab": name, "aria-controls": panel,
      on: { click: () => open(name), keydown: (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1, Home: -9, End: 9 }[event.key];
        if (!step) return;
        event.preventDefault();
        const at = nodes.indexOf(event.currentTarget) + step;
        open(tabs[Math.abs(step) > 1 ? (step < 0 ? 0 : tabs.length - 1) : (at + tabs.length) % tabs.length][0], true);
      } } }, label));
    kit.element.replaceChildren(make("div", { class: "cc-tabs", role: "tablist", "aria-label": "What to make of the maps" }, ...nodes));
    open("agreement");
  };
})();
