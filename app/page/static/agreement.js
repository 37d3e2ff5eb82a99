/* The agreement of every pair of maps as a table with numbers; pointing at a pair says it in words and marks both panels. */
(() => {
  const page = window.crosscheck;
  const { make, say, set } = page;

  page.agreement = (kit) => {
    page.start();
    const heading = make("h2", {}, "Do the methods agree?");
    const lead = make("p", { class: "cc-facts" }), table = make("table", { class: "cc-matrix" }), words = make("div", { class: "cc-words" });
    const pair = make("p", { class: "cc-pair" });
    const box = make("div", { class: "cc-scroll", tabindex: "0", role: "region", "aria-label": "How alike each pair of maps is" }, table);
    const swipe = make("p", { class: "cc-facts cc-swipe", hidden: true }, "\u2194 Scroll the table sideways: more methods follow.");
    const measure = () => set(swipe, "hidden", box.scrollWidth > box.clientWidth + 4 ? null : "");
    new ResizeObserver(measure).observe(box);
    const section = make("section", { class: "cc-card cc-agreement", "aria-label": "Do the methods agree?" }, heading, lead, make("div", { class: "cc-columns" }, make("div", { class: "cc-tablebox" }, swipe, box), make("div", {}, pair, words)));
    kit.element.replaceChildren(section);
    let cells = new Map(), value = {};

    const mark = (a, b) => {
      for (const [id, panel] of page.panels) set(panel.node, "data-marked", id === a || id === b ? "yes" : null);
      const found = (value.pairs ?? []).find((one) => (one.a === a && one.b === b) || (one.a === b && one.b === a));
      say(pair, found ? found.words : value.hint ?? "");
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
      table.replaceChildren(make("caption", { class: "cc-hidden" }, "How alike each pair of maps is"), make("thead", {}, head), make("tbody", {}, ...rows));
    };
    page.part(kit, (next) => {
      value = next;
      const methods = value.methods ?? [], order = methods.map((one) => one.id).join(" ");
      set(section, "hidden", methods.length > 1 ? null : "");
      if (table.dataset.order !== order) {
        build(methods);
        table.dataset.order = order;
        measure();
      }
      say(lead, value.lead ?? "");
      if (words.dataset.text !== JSON.stringify(value.words)) {
        words.dataset.text = JSON.stringify(value.words);
        words.replaceChildren(...(value.words ?? []).map((text) => make("p", {}, text)));
      }
      if (!pair.textContent) say(pair, value.hint ?? "");
      const known = new Map();
      for (const one of value.pairs ?? []) {
        known.set(`${one.a} ${one.b}`, one);
        known.set(`${one.b} ${one.a}`, one);
      }
      for (const [key, cell] of cells) {
        const one = known.get(key);
        say(cell, one ? one.text : "\u2013");
        cell.style.background = one ? one.colour : "";
        cell.style.color = one ? one.ink : "";
        set(cell, "disabled", one ? null : "");
        set(cell, "aria-label", one ? one.words : "not yet known");
      }
      kit.element.dataset.run = value.run ?? "";
      kit.element.dataset.pairs = String((value.pairs ?? []).length);
    });
  };
})();
