/* The doctor's tab: pictures to examine a model by, and what was found. Names come from strangers' files and stay text. */
(() => {
  const page = window.crosscheck;
  const { make, button, say, set } = page;

  page.doctor = (kit) => {
    page.start();
    let groups = [], value = {}, sending = "", shown = "", overdue = 0;
    const lead = make("p"), hand = make("p", { class: "cc-facts" }), text = make("p", { class: "cc-verdict", role: "status", "aria-live": "polite" });
    const error = make("p", { class: "cc-error", role: "alert", hidden: true }), left = make("p", { class: "cc-facts" });
    const working = make("div", { class: "cc-working", hidden: true, role: "progressbar", "aria-label": "The model is being examined" }), asked = make("p", { class: "cc-facts", "data-part": "asked" });
    const results = make("div", { class: "cc-doctor", "data-part": "results" }), added = make("ul", { class: "cc-added", "aria-label": "Pictures that you added" });
    const input = make("input", { type: "file", multiple: true, accept: "image/*,.tif,.tiff", class: "cc-hidden", tabindex: "-1", "aria-label": "Choose pictures to examine the model by", on: { change: () => add() } });
    const shows = make("select", { id: "cc-doctor-label" });
    const examine = button("Examine", null, () => send(), { class: "cc-button cc-main", id: "cc-examine" });
    const stop = button("Stop examining", "close", () => kit.trigger("halt", {}), { "data-part": "halt" });
    const section = make("section", { class: "cc-card cc-doctor", id: "cc-doctor-panel", role: "tabpanel", "aria-label": "Is the model itself in order?", hidden: true },
      make("h2", {}, "Is the model itself in order?"), lead,
      make("div", { class: "cc-row" }, make("label", { class: "cc-field" }, make("span", {}, "Pictures that show"), shows), button("Add", "upload", () => input.click(), { "data-part": "add", title: "Choose pictures of this class to examine the model by" }), input),
      added, hand, make("div", { class: "cc-row" }, examine, stop), error, working, asked, text, left, results);
    kit.element.replaceChildren(section);

    const tell = (words) => {
      say(error, words);
      set(error, "hidden", words ? null : "");
    };
    const add = () => {
      const room = value.most - groups.reduce((sum, one) => sum + one.files.length, 0), files = [...input.files];
      input.value = "";
      const large = files.find((file) => file.size > page.config.upload.bytes);
      if (large) return tell(`${large.name}: ${page.config.upload.tooLarge.replace("{size}", (large.size / 1e6).toFixed(1))}`);
      tell(files.length > room ? `${value.most} pictures are the most; the first ${room} of these ${files.length} are taken.` : "");
      if (Math.min(files.length, room)) groups.push({ files: files.slice(0, room), label: shows.value });
      list();
    };
    const list = () => {
      set(hand, "hidden", groups.length ? "" : null);
      added.replaceChildren(...groups.map((one) => make("li", {}, make("button", { type: "button", class: "cc-chip", title: "Take these pictures out again",
      on: { click: () => { groups = groups.filter((other) => other !== one); list(); examine.focus(); } } },
      `${one.files.length} ${one.files.length === 1 ? "picture" : "pictures"}, ${one.label || "class unknown"}`, page.icon("close")))));
    };
    const put = async (file) => {
      const response = await fetch(`crosscheck/picture?name=${encodeURIComponent(file.name.slice(-80))}`, { method: "POST", body: file });
      const answer = await response.json();
      if (answer.error) throw new Error(`${file.name}: ${answer.error}`);
      return answer.token;
    };
    const send = async () => {
      if (sending) return;
      sending = "pictures";
      tell("");
      update();
      const pictures = [];
      try {
        for (const { files, label } of groups) for (const file of files) pictures.push({ token: await put(file), label });
        kit.trigger("examine", { pictures });
        sending = "asked";
        clearTimeout(overdue);
        overdue = setTimeout(() => { sending = ""; update(); }, 5000); // an answer that was lost keeps nobody from asking again
      } catch (problem) {
        sending = "";
        tell(problem instanceof TypeError ? "The pictures did not reach the page's server; check the connection and press Examine again." : problem.message);
        update();
      }
    };

    const sheet = (name, table, few) => {
      const rows = table.rows.map((cells, i) => make("tr", { "data-mark": table.marks[i] || null },
        make("th", { scope: "row" }, cells[0], table.marks[i] && few === undefined ? make("small", {}, table.marks[i]) : null), ...cells.slice(1).map((cell) => make("td", {}, cell))));
      const head = make("tr", {}, ...table.columns.map(([label, help]) => make("th", { scope: "col", title: help || null }, label)));
      const box = make("div", { class: "cc-scroll cc-sheet", tabindex: "0", role: "region", "aria-label": name },
        make("table", {}, make("caption", { class: "cc-hidden" }, name), make("thead", {}, head), make("tbody", {}, ...rows)));
      if (few === undefined || rows.length <= few) return [box];
      rows.forEach((row, i) => set(row, "hidden", i >= few && !table.marks[i] ? "" : null));
      const all = button(`Show all ${rows.length}`, "more", () => { for (const row of rows) set(row, "hidden", null); all.remove(); box.focus(); });
      return [box, make("div", {}, all)];
    };
    const finding = (one) => make("li", { "data-level": one.level, "data-about": one.about },
      make("span", { class: "cc-level" }, one.word ? make("b", {}, one.word) : null, one.about), make("p", {}, one.says), make("p", { class: "cc-facts" }, `Known by: ${one.known}`));
    const card = (one) => {
      const body = make("pre", { class: "cc-cardtext", tabindex: "0", role: "region", "aria-label": "The card that is proposed" }, one.text);
      const copy = button("Copy", "paste", async () => {
        try {
          await navigator.clipboard.writeText(one.text);
          say(copy.lastChild, "Copied");
        } catch {
          getSelection().selectAllChildren(body);
          say(copy.lastChild, "Selected; press Ctrl+C");
        }
      }, { "data-part": "copy" });
      copy.replaceChildren(page.icon("paste"), make("span", {}, "Copy"));
      const link = make("a", { class: "cc-button", download: one.file, href: URL.createObjectURL(new Blob([one.text], { type: "application/json" })), "data-part": "download" }, `Download ${one.file}`);
      return [make("h3", {}, "A card that says so"), ...one.changes.map((words) => make("p", { "data-change": "" }, words)),
        make("p", { class: "cc-facts" }, `This page writes nothing. Put the card beside the model as ${one.file}, or let `, make("code", {}, one.command), " write it, and start the page again."),
        body, make("div", { class: "cc-row" }, copy, link)];
    };
    const report = (one) => make("section", { "aria-label": one.name },
      make("ul", { class: "cc-findings" }, ...one.findings.map(finding)),
      ...(one.candidates || one.sure ? [make("h3", {}, "How does it want its pictures?"), make("p", {}, one.sure)] : []),
      ...(one.candidates ? sheet("The ways of preparing a picture, the best first", one.candidates) : []),
      ...(one.card ? card(one.card) : []),
      ...(one.layers ? [make("h3", {}, "Which layers can be shown?"), make("p", { class: "cc-facts" }, one.layers.says),
        ...sheet("Layers that maps can be drawn from, the last first", one.layers, 8)] : []));

    const update = () => {
      const busy = sending || ["waiting", "running"].includes(value.state);
      set(examine, "disabled", busy ? "" : null);
      set(working, "hidden", busy ? null : "");
      set(stop, "hidden", ["waiting", "running"].includes(value.state) ? null : "");
      const [done, most] = value.asked ?? [0, 0];
      say(asked, most ? `${done.toLocaleString("en")} of ${most.toLocaleString("en")} evaluations` : "");
      set(working, "aria-valuemax", most ? String(most) : null);
      set(working, "aria-valuenow", most ? String(done) : null);
    };
    page.part(kit, (next) => {
      if (next.title !== value.title) { groups = []; list(); }
      value = next;
      if (sending === "asked") sending = "";
      set(section, "hidden", value.title ? null : "");
      say(lead, value.lead ?? "");
      say(hand, value.hand ?? "");
      say(text, value.text ?? "");
      say(left, (value.left ?? []).join(" "));
      tell(value.error ?? "");
      const labels = JSON.stringify(value.labels ?? []);
      if (shows.dataset.labels !== labels) {
        shows.dataset.labels = labels;
        shows.replaceChildren(make("option", { value: "" }, "I do not know what"), ...(value.labels ?? []).map((label) => make("option", { value: label }, label)));
      }
      const found = JSON.stringify(value.report ?? "");
      if (shown !== found) {
        shown = found;
        for (const link of results.querySelectorAll("a[download]")) URL.revokeObjectURL(link.href);
        results.replaceChildren(...(value.report ? [report(value.report)] : []));
      }
      update();
      kit.element.dataset.run = value.run ?? "";
      kit.element.dataset.state = value.state ?? "";
    });
  };
})();
