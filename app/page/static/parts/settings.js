/** The drawer of settings, and the button that appears where the maps are of other settings than those chosen. */

import { mountPart, send } from "../lib/channel.js";
import { button, icon, make, setAttribute, setShown, setText } from "../lib/dom.js";

/** @import { Gradio, SettingsValue } from "../types" */

const DRAWER = "cc-drawer";

/** @param {Gradio<SettingsValue>} gradio */
export const mount = (gradio) => {
  const drawer = () => document.getElementById(DRAWER);
  const opener = button("Settings", "settings", () => open(true), { id: "cc-settings-button", "aria-controls": DRAWER });
  const update = button("Update the maps", null, () => document.getElementById("cc-explain")?.click(), {
    id: "cc-update",
    class: "cc-button cc-amber",
    hidden: true,
  });
  gradio.element.replaceChildren(make("div", { class: "cc-row" }, update, opener));

  const open = (/** @type {boolean} */ now) => {
    document.documentElement.dataset.drawer = now ? "open" : "closed";
    setAttribute(opener, "aria-expanded", String(now));
    const node = drawer();
    if (now) node?.querySelector("button")?.focus();
    else if (node?.contains(document.activeElement)) opener.focus();
  };
  open(false);

  /** What is chosen in the drawer, to be compared. */
  const chosen = () =>
    [...document.querySelectorAll("#cc-methods input, #cc-preset input")]
      .map((input) => /** @type {HTMLInputElement} */ (input).checked)
      .join();
  let explained = "";
  /** @type {SettingsValue} */
  let value = {};
  const compare = () => {
    const stale = explained !== "" && chosen() !== explained;
    document.documentElement.dataset.stale = stale ? "yes" : "no";
    setShown(update, stale);
    const preset = document.querySelector("#cc-preset input:checked");
    const seconds = preset instanceof HTMLInputElement ? value.seconds?.[preset.value] : undefined;
    setText(update, `Update the maps${seconds ? `, ${seconds}` : ""}`);
  };
  const ready = () => {
    const node = drawer();
    if (!node) return void setTimeout(ready, 50); // Gradio mounts the drawer after this part
    node.setAttribute("role", "dialog");
    node.setAttribute("aria-label", "Settings");
    const close = make(
      "button",
      { type: "button", class: "cc-small", "aria-label": "Close the settings", on: { click: () => open(false) } },
      icon("close"),
    );
    node.prepend(make("div", { class: "cc-drawer-head" }, make("h2", {}, "Settings"), close));
    node.addEventListener("change", () => setTimeout(compare));
    node.addEventListener("click", ({ target }) => {
      if (target instanceof Element && target.closest("#cc-explain")) open(false);
    });
    node.addEventListener("keydown", (event) => {
      if (event.key === "Escape") open(false);
    });
    document.addEventListener("pointerdown", (event) => {
      const outside = event.target instanceof Node && !node.contains(event.target) && !opener.contains(event.target);
      if (
        outside &&
        document.documentElement.dataset.drawer === "open" &&
        !(event.target instanceof Element && event.target.closest("dialog, ul"))
      )
        open(false);
    });
  };
  ready();
  let run = 0;
  let asked = linked();
  mountPart(gradio, (next) => {
    value = next;
    if ((value.run ?? 0) !== run) {
      run = value.run ?? 0;
      explained = value.explained ? chosen() : "";
    }
    compare();
    if (value.run && asked) {
      const first = asked;
      asked = null;
      send(gradio, "restore", first); // after the page's first answer: of two that come at once the page may drop one
    } else if (value.link && Object.keys(value.link).length) writeAddress(value.link);
    gradio.element.dataset.run = String(value.run ?? "");
  });
  addEventListener("popstate", () => {
    const link = linked();
    if (link && location.hash !== written) send(gradio, "restore", link);
  });
};

/** What the page's address asks for; null where it asks for nothing. */
const linked = () => {
  const link = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  return link.model ? link : null;
};

let written = "";

/**
 * The page's address names the answer, so that Back, Reload and a link bring it back.
 * @param {Record<string, string>} link
 */
const writeAddress = (link) => {
  const hash = `#${new URLSearchParams(link)}`;
  if (hash === location.hash) {
    written = hash;
    return;
  }
  history[written ? "pushState" : "replaceState"](history.state, "", hash);
  written = hash;
};
