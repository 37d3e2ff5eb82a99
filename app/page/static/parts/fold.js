/** The fold over the choice of methods, whose HTML Python writes. */

/**
 * The choice of methods: open where it has a column of its own, folded where it would push the maps away.
 * @param {{ element: HTMLElement }} gradio
 */
export const mount = ({ element }) => {
  const button = element.querySelector(".cc-unfold");
  const open = (/** @type {boolean} */ now) => button?.setAttribute("aria-expanded", String(now));
  open(window.innerWidth >= 1000);
  button?.addEventListener("click", () => open(button.getAttribute("aria-expanded") !== "true"));
};
