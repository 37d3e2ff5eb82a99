/* For each method a line of evidence whose every word opens its numbers, and the buttons that ask for more. */
(() => {
  const page = window.crosscheck;
  const { make, button, say, set } = page;

  page.trust = (kit) => {
    page.start();
    const lead = make("p", { class: "cc-verdict" }), list = make("ul", { class: "cc-lines" }), buttons = make("div", { class: "cc-asks" });
    const fill = make("span", { class: "cc-fill" }), text = make("p", { class: "cc-now" }), error = make("p", { class: "cc-facts cc-measure-error", role: "status" });
    const stop = button("Stop measuring", "close", () => kit.trigger("halt", {}), { id: "cc-halt" });
    const work = make("div", { class: "cc-row cc-measuring", hidden: true }, make("div", { class: "cc-track cc-measured" }, fill), text, stop);
    const waiting = make("p", { class: "cc-facts" }, "Each method\u2019s evidence stands here once the maps are finished.");
    kit.element.replaceChildren(make("section", { class: "cc-card cc-trust", "aria-label": "Which do I believe?" }, make("h2", {}, "Which do I believe?"), lead, waiting, list, work, error,
      make("h3", {}, "Ask for more evidence"), buttons));
    const lines = new Map(), asks = new Map();

    const line = (entry) => {
      const title = make("h3"), chips = make("div", { class: "cc-chips" }), detail = make("div", { class: "cc-detail", hidden: true }), state = make("p", { class: "cc-facts" });
      const more = make("button", { type: "button", class: "cc-button cc-more-button", hidden: true, on: { click: () => page.wish(kit, "more", { method: entry.id }) } });
      const node = make("li", { "data-line": entry.id }, title, state, chips, more, detail);
      return { node, title, chips, detail, state, more, known: new Map(), open: "" };
    };
    const chip = (one, name) => {
      const text = make("span"), lights = make("span", { class: "cc-lights", "aria-hidden": "true" });
      const node = make("button", { type: "button", class: "cc-chip", "data-chip": name, on: { click: () => { one.open = one.open === name ? "" : name; unfold(one); } } },
        make("span", { class: "cc-chip-name" }, name), lights, text);
      one.chips.append(node);
      return { node, text, lights };
    };
    const unfold = (one) => {
      for (const [name, { node }] of one.known) set(node, "aria-expanded", String(name === one.open));
      const entry = one.entry.chips.find((each) => each.name === one.open);
      set(one.detail, "hidden", entry ? null : "");
      const told = JSON.stringify(entry?.detail ?? []);
      if (one.detail.dataset.told !== told) one.detail.replaceChildren(...(entry?.detail ?? []).map((words) => make("p", {}, words)));
      one.detail.dataset.told = told;
    };
    const update = (one, entry) => {
      one.entry = entry;
      say(one.title, entry.title);
      say(one.state, entry.state);
      set(one.more, "hidden", entry.more ? null : "");
      say(one.more, entry.more?.text ?? "");
      for (const [name, each] of one.known) if (!entry.chips.some((given) => given.name === name)) { each.node.remove(); one.known.delete(name); }
      for (const given of entry.chips) {
        if (!one.known.has(given.name)) one.known.set(given.name, chip(one, given.name));
        const shown = one.known.get(given.name);
        say(shown.text, given.text);
        set(shown.node, "data-tone", given.tone);
        const lights = (given.lights ?? []).map((light) => `${light.tone} ${light.name}`).join("|");
        if (shown.lights.dataset.told !== lights) shown.lights.replaceChildren(...(given.lights ?? []).map((light) => make("i", { "data-tone": light.tone, title: light.name })));
        shown.lights.dataset.told = lights;
      }
      unfold(one);
    };
    const ask = (entry) => {
      const title = make("strong"), cost = make("span", { class: "cc-facts" });
      const press = make("button", { type: "button", class: "cc-button", "data-measure": entry.kind, on: { click: () => kit.trigger("measure", { kind: entry.kind }) } }, title);
      const node = make("div", { class: "cc-ask" }, press, make("p", { class: "cc-facts" }, entry.help), cost);
      return { node, press, title, cost };
    };
    const keep = (known, box, entries, key, create) => {
      const order = entries.map((entry) => entry[key]).join(" ");
      if (box.dataset.order === order) return;
      box.dataset.order = order;
      known.clear();
      for (const entry of entries) known.set(entry[key], create(entry));
      box.replaceChildren(...[...known.values()].map((one) => one.node));
    };
    page.part(kit, (value) => {
      const entries = value.lines ?? [], offers = value.buttons ?? [];
      say(lead, value.lead ?? "");
      set(waiting, "hidden", entries.length ? "" : null);
      keep(lines, list, entries, "id", line);
      for (const entry of entries) update(lines.get(entry.id), entry);
      keep(asks, buttons, offers, "kind", ask);
      for (const offer of offers) {
        const one = asks.get(offer.kind);
        say(one.title, offer.done ? `\u2713 ${offer.title}` : offer.title);
        say(one.cost, offer.cost[0].toUpperCase() + offer.cost.slice(1) + ".");
        set(one.press, "disabled", offer.ready ? null : "");
      }
      set(work, "hidden", value.running ? null : "");
      fill.style.width = `${100 * (value.share ?? 0)}%`;
      say(text, value.progress ?? "");
      say(error, value.error ?? "");
      kit.element.dataset.run = value.run ?? "";
      kit.element.dataset.running = value.running ?? "";
    });
  };
})();
