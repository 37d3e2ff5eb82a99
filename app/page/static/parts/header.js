/** The page's header, whose HTML Python writes. */

const THEME = "crosscheck-theme";

/**
 * The button that changes between light and dark; the visitor's choice is kept in their browser.
 * @param {{ element: HTMLElement }} gradio
 */
export const mount = ({ element }) => {
  const button = element.querySelector("#cc-theme");
  const { classList } = document.body;
  const show = (/** @type {boolean} */ dark) => {
    classList.toggle("dark", dark);
    button?.setAttribute("aria-pressed", String(dark));
  };
  const kept = stored();
  show(kept ? kept === "dark" : classList.contains("dark"));
  button?.addEventListener("click", () => {
    show(!classList.contains("dark"));
    try {
      localStorage.setItem(THEME, classList.contains("dark") ? "dark" : "light");
    } catch {
      // storage is blocked: the choice lasts until the page is closed
    }
  });
};

const stored = () => {
  try {
    return localStorage.getItem(THEME);
  } catch {
    return null;
  }
};
