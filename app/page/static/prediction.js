/* The prediction: a sentence, and a bar for each of the likeliest classes, each a button that makes its class the one explained. */
(() => {
  const page = window.crosscheck;

  page.prediction = (kit) => {
    page.start();
    const { make, say, set } = page;
    const sentence = make("h2", { class: "cc-sentence" });
    const bars = make("div", { class: "cc-bars", role: "group", "aria-label": "The likeliest classes; press one to explain it" });
    const note = make("p", { class: "cc-facts" });
    const more = make("details", { class: "cc-why" }, make("summary", {}, "About this confidence"), note);
    const about = make("p", { class: "cc-about" });
    kit.element.replaceChildren(make("section", { class: "cc-prediction", "aria-label": "Prediction" }, make("div", { class: "cc-row cc-say" }, sentence, more), bars, about));
    const known = new Map();

    const bar = (entry) => {
      const fill = make("span", { class: "cc-fill" }), label = make("span", { class: "cc-label" }), share = make("span", { class: "cc-share" });
      const node = make("button", { type: "button", class: "cc-bar", on: { click: () => page.wish(kit, "target", { index: entry.index }) } },
        label, make("span", { class: "cc-track" }, fill), share);
      return { node, fill, label, share };
    };
    page.part(kit, (value) => {
      say(sentence, value.sentence ?? "");
      say(note, value.note ?? "");
      set(more, "hidden", value.note ? null : "");
      if (more.dataset.caution !== String(Boolean(value.caution))) more.open = more.dataset.caution = Boolean(value.caution);
      say(about, value.about ?? "");
      const list = value.bars ?? [], order = list.map((entry) => entry.index).join(" ");
      if (bars.dataset.order !== `${value.classifier} ${order}`) {
        bars.dataset.order = `${value.classifier} ${order}`;
        known.clear();
        for (const entry of list) known.set(entry.index, bar(entry));
        bars.replaceChildren(...[...known.values()].map((one) => one.node));
      }
      for (const entry of list) {
        const { node, fill, label, share } = known.get(entry.index);
        say(label, entry.label);
        say(share, entry.share);
        fill.style.width = `${100 * entry.size}%`;
        set(node, "aria-pressed", String(entry.explained));
        set(node, "data-rather", entry.rather ? "yes" : null);
        set(node, "title", entry.description);
        set(node, "data-class", entry.index);
      }
      kit.element.dataset.run = value.run ?? "";
      kit.element.dataset.bars = String(list.length);
    });
  };

  /** What is running, how far, how long still: the page's one live region. */
  page.status = (kit) => {
    page.start();
    const { make, say, set } = page;
    const fill = make("span", { class: "cc-fill" });
    const track = make("div", { class: "cc-track cc-progress", role: "progressbar", "aria-label": "Progress", "aria-valuemin": "0", "aria-valuemax": "100" }, fill);
    const text = make("p", { class: "cc-now" });
    const spoken = make("p", { class: "cc-hidden", role: "status", "aria-live": "polite" });
    const error = make("p", { class: "cc-error", role: "alert", hidden: true });
    kit.element.replaceChildren(make("div", { class: "cc-status" }, track, text, spoken, error));
    page.nudge = () => kit.trigger("nudge", {});
    page.expect();
    document.addEventListener("click", (event) => event.target.closest?.("#cc-explain") && page.expect());
    page.part(kit, (value) => {
      page.run = value.run ?? page.run;
      fill.style.width = `${100 * (value.share ?? 0)}%`;
      set(track, "aria-valuenow", Math.round(100 * (value.share ?? 0)));
      say(text, value.text ?? "");
      say(spoken, value.spoken ?? "");
      say(error, value.error ?? "");
      set(error, "hidden", value.error ? null : "");
      kit.element.dataset.state = value.state ?? "";
      kit.element.dataset.run = value.run ?? "";
    });
  };
})();
