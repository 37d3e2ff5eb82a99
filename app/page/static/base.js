/* What every part of the page uses: one name space, elements made without innerHTML, the view that all maps share. */
window.crosscheck = (() => {
  const config = () => JSON.parse(document.getElementById("crosscheck-config").textContent);
  const page = {
    config: null,
    view: { mode: "overlay", opacity: 70, strongest: 100, colours: "", signedColours: "", seen: false, truth: false, bare: false },
    cross: null,
    listeners: [],
  };

  /** An element: attributes by name, `on` for listeners, children as nodes or text. Text never becomes markup. */
  page.make = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "on") for (const [kind, listener] of Object.entries(value)) node.addEventListener(kind, listener);
      else if (name === "class") node.className = value;
      else if (value === true) node.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  };

  /** Writes only what changed: a node that is rewritten loses a click that is under way. */
  page.say = (node, text) => {
    if (node.textContent !== text) node.textContent = text;
  };
  page.set = (node, name, value) => {
    if (value === null || value === undefined || value === false) node.removeAttribute(name);
    else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
  };

  const paths = {
    upload: "M12 16V4m0 0 4 4m-4-4L8 8M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3",
    camera: "M4 8h3l2-3h6l2 3h3a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1Zm8 9a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z",
    paste: "M9 4h6v3H9V4Zm0 1H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1V6a1 1 0 0 0-1-1h-3M9 12h6M9 16h4",
    enlarge: "M14 4h6v6M10 20H4v-6M20 4l-7 7M4 20l7-7",
    about: "M12 11v6m0-9.5v.5M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z",
    compare: "M12 3v18M4 6h5v12H4zM15 6h5v12h-5z",
    close: "M6 6l12 12M18 6 6 18",
    draw: "M4 20l4-1L20 7l-3-3L5 16l-1 4Z",
    more: "M12 5v14M5 12h14",
    sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm0-14v2m0 16v2M4 12H2m20 0h-2M5 5l1.5 1.5M17.5 17.5 19 19M19 5l-1.5 1.5M6.5 17.5 5 19",
  };
  page.icon = (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "cc-icon", "aria-hidden": "true" })) svg.setAttribute(key, value);
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", paths[name]);
    svg.append(path);
    return svg;
  };
  page.button = (label, icon, listener, attributes = {}) =>
    page.make("button", { type: "button", class: "cc-button", on: { click: listener }, ...attributes }, icon ? page.icon(icon) : null, label);

  /** Part of the page: `paint(value)` runs now and whenever the server sends another value. */
  page.part = (kit, paint) => {
    let newest = 0;
    const run = () => {
      const number = kit.props.value?.run ?? 0;
      if (number < newest) return; // what an older run still had under way
      newest = number;
      try {
        paint(kit.props.value ?? {});
      } catch (error) {
        console.error(error);
      }
    };
    kit.watch("value", run);
    run();
  };

  /** Tells the server of a wish of the page's own parts, numbered, because requests may pass each other on the way. */
  let wishes = 0;
  page.wish = (kit, event, data) => {
    kit.trigger(event, { ...data, wish: ++wishes });
    page.expect();
  };

  /** An answer begins within a moment. Where none does, its stream was closed just as it came, and asking once more brings it. */
  let overdue = 0;
  page.run = 0;
  page.expect = (times = 3) => {
    const before = page.run;
    clearTimeout(overdue);
    overdue = setTimeout(() => {
      if (page.run !== before || !times) return;
      page.nudge?.();
      page.expect(times - 1);
    }, 4000);
  };

  /** Changes the view and lets every map repaint in the next frame. */
  let due = false;
  page.change = (changes) => {
    Object.assign(page.view, changes);
    if (due) return;
    due = true;
    requestAnimationFrame(() => {
      due = false;
      for (const listener of page.listeners) listener();
      document.documentElement.dataset.viewPainted = JSON.stringify(page.view);
    });
  };

  page.dark = () => document.body.classList.contains("dark");
  page.start = () => {
    if (page.config) return;
    page.config = config();
    page.view.colours = page.config.colours.plain[0];
    page.view.signedColours = page.config.colours.signed[0];
  };
  return page;
})();

/* The button that changes between light and dark; the visitor's choice is kept in their browser. */
window.crosscheck.header = (element) => {
  const button = element.querySelector("#cc-theme"), name = "crosscheck-theme";
  const show = (dark) => {
    document.body.classList.toggle("dark", dark);
    button.setAttribute("aria-pressed", String(dark));
  };
  const kept = () => { try { return localStorage.getItem(name); } catch { return null; } };
  show(kept() ? kept() === "dark" : document.body.classList.contains("dark"));
  button.addEventListener("click", () => {
    show(!document.body.classList.contains("dark"));
    try { localStorage.setItem(name, document.body.classList.contains("dark") ? "dark" : "light"); } catch { /* it lasts until the page is left */ }
  });
};

/* The choice of methods: open where it has a column of its own, folded where it would push the maps away. */
window.crosscheck.unfold = (element) => {
  const button = element.querySelector(".cc-unfold"), open = (now) => button.setAttribute("aria-expanded", String(now));
  open(window.innerWidth >= 1000);
  button.addEventListener("click", () => open(button.getAttribute("aria-expanded") !== "true"));
};
