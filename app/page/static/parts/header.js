/** The page's name, the switch between the plain and the expert page, and the theme. */

import { icon, make, setAttribute } from "../lib/dom.js";

const THEME = "crosscheck-theme";
const LEVEL = "crosscheck-level";
const THEMES = /** @type {const} */ (["system", "light", "dark"]);

/**
 * The visitor's choices are kept in their browser.
 * @param {{ element: HTMLElement }} gradio
 */
export const mount = ({ element }) => {
  const root = document.documentElement;
  const levels = ["plain", "expert"].map((level) => {
    const label = level === "plain" ? "Plain" : "Expert";
    const title = level === "plain" ? "Answers in words" : "All numbers, costs and settings";
    return make("button", { type: "button", class: "cc-choice", "data-level": level, title, on: { click: () => show(level) } }, label);
  });
  const show = (/** @type {string} */ level) => {
    root.dataset.level = level;
    for (const node of levels) setAttribute(node, "aria-pressed", String(node.dataset.level === level));
    keep(LEVEL, level);
  };
  show(kept(LEVEL) === "expert" ? "expert" : "plain");

  const theme = make("button", { type: "button", class: "cc-small", id: "cc-theme", on: { click: () => next() } });
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let chosen = THEMES.find((name) => name === kept(THEME)) ?? "system";
  const asked = new URL(location.href).searchParams.get("__theme");
  const paint = () => {
    const now = chosen === "system" ? asked === "dark" || (asked !== "light" && dark.matches) : chosen === "dark";
    document.body.classList.toggle("dark", now);
    setAttribute(theme, "aria-label", `Theme: ${chosen}`);
    setAttribute(theme, "title", `Theme: ${chosen}; press for ${THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length]}`);
    setAttribute(theme, "data-theme", chosen);
    theme.replaceChildren(icon(chosen === "dark" ? "moon" : chosen === "light" ? "sun" : "system"));
  };
  const next = () => {
    chosen = THEMES[(THEMES.indexOf(chosen) + 1) % THEMES.length];
    keep(THEME, chosen);
    paint();
  };
  dark.addEventListener("change", paint);
  paint();
  helpTyping();
  element.replaceChildren(make("div", { class: "cc-choices", role: "group", "aria-label": "How much is shown" }, ...levels), theme);
};

/** Typing into a list of classes replaces what stands there, and where no entry is left a sentence says so. */
const helpTyping = () => {
  const lists = () => document.getElementById("cc-classes");
  document.addEventListener("focusin", ({ target }) => {
    if (target instanceof HTMLInputElement && lists()?.contains(target)) setTimeout(() => target.select());
  });
  document.addEventListener("input", ({ target }) => {
    if (!(target instanceof HTMLInputElement) || !lists()?.contains(target)) return;
    setTimeout(() => {
      const block = target.closest(".block");
      const none = target.value !== "" && !block?.querySelector("[role=option]");
      setAttribute(block ?? target, "data-none", none ? `Nothing is called \u201c${target.value}\u201d.` : null);
    }, SETTLED);
  });
  document.addEventListener("focusout", ({ target }) => {
    if (target instanceof Element && lists()?.contains(target)) target.closest(".block")?.removeAttribute("data-none");
  });
};

const SETTLED = 60; // ms in which Gradio filters its list

/** @param {string} name */
const kept = (name) => {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
};

/**
 * @param {string} name
 * @param {string} value
 */
const keep = (name, value) => {
  try {
    localStorage.setItem(name, value);
  } catch {
    // storage is blocked: the choice lasts until the page is closed
  }
};
