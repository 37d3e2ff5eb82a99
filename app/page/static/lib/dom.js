/** Elements and attributes. Nothing here uses innerHTML: text from a file or a model never becomes markup. */

/** @import { Attribute, Attributes, Child, ListOptions } from "../types" */

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  upload: "M12 16V4m0 0 4 4m-4-4L8 8M4 16v3a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-3",
  camera: "M4 8h3l2-3h6l2 3h3a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1Zm8 9a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z",
  paste: "M9 4h6v3H9V4Zm0 1H6a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h12a1 1 0 0 0 1-1V6a1 1 0 0 0-1-1h-3M9 12h6M9 16h4",
  enlarge: "M14 4h6v6M10 20H4v-6M20 4l-7 7M4 20l7-7",
  about: "M12 11v6m0-9.5v.5M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z",
  compare: "M12 3v18M4 6h5v12H4zM15 6h5v12h-5z",
  close: "M6 6l12 12M18 6 6 18",
  more: "M12 5v14M5 12h14",
  unfold: "M6 9l6 6 6-6",
  settings: "M4 7h9m4 0h3M4 17h3m4 0h9M15 4.500v5M9 14.500v5",
  hide: "M4 4l16 16M10 6.200A9 9 0 0 1 12 6c5 0 8 4 9 6a14 14 0 0 1-2.500 3.200M6.500 7.500A14 14 0 0 0 3 12c1 2 4 6 9 6a9 9 0 0 0 3.500-.7M10 10a3 3 0 0 0 4 4",
  moon: "M20 14A8 8 0 0 1 10 4a8 8 0 1 0 10 10Z",
  sun: "M12 3v2m0 14v2M3 12h2m14 0h2M5.600 5.600 7 7m10 10 1.400 1.400M18.400 5.600 17 7M7 17l-1.400 1.400M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8Z",
  system: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-18v18",
  check: "M5 12l5 5 9-10",
  warning: "M12 4 21 20H3L12 4Zm0 6v5m0 2.500v.5",
  unsure: "M9 9a3 3 0 1 1 4 2.800c-1 .4-1 1.200-1 2.200m0 3v.5M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Z",
  present: "M4 5h16v11H4zM9 20h6M12 16v4",
};

/**
 * An element: attributes by name, `on` for listeners, children as nodes or text. Null and undefined are left out.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} [attributes]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export const make = (tag, attributes = {}, ...children) => {
  const node = document.createElement(tag);
  const { on = {}, ...rest } = attributes;
  for (const [kind, listener] of Object.entries(on)) node.addEventListener(kind, /** @type {EventListener} */ (listener));
  for (const [name, value] of Object.entries(rest)) setAttribute(node, name, value === true ? "" : /** @type {Attribute} */ (value));
  for (const child of children) if (child !== null && child !== undefined) node.append(child);
  return node;
};

/**
 * An SVG element.
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} [attributes]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export const makeSvg = (tag, attributes = {}, ...children) => {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  for (const child of children) if (child !== null && child !== undefined) node.append(child);
  return node;
};

/** @param {keyof typeof ICONS} name */
export const icon = (name) =>
  makeSvg("svg", { viewBox: "0 0 24 24", class: "cc-icon", "aria-hidden": "true" }, makeSvg("path", { d: ICONS[name] }));

/**
 * A button with a label and, unless null, an icon before it.
 * @param {string} label
 * @param {keyof typeof ICONS | null} iconName
 * @param {() => void} listener
 * @param {Attributes} [attributes]
 */
export const button = (label, iconName, listener, attributes = {}) =>
  make("button", { type: "button", class: "cc-button", on: { click: listener }, ...attributes }, iconName ? icon(iconName) : null, label);

/**
 * Writes text only where it changed: rewriting a node would lose a click in progress.
 * @param {Node} node
 * @param {string} text
 */
export const setText = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};

/**
 * Writes an attribute only where it changed; null, undefined and false remove it.
 * @param {Element} node
 * @param {string} name
 * @param {Attribute} value
 */
export const setAttribute = (node, name, value) => {
  if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, String(value));
};

/**
 * @param {Element} node
 * @param {boolean} shown
 */
export const setShown = (node, shown) => setAttribute(node, "hidden", shown ? null : "");

/**
 * Shows an error sentence; an empty one hides its line.
 * @param {Element} node
 * @param {string} text
 */
export const showError = (node, text) => {
  setText(node, text);
  setShown(node, text !== "");
};

/**
 * A list that is updated in place: an entry keeps its item for as long as its key is listed, so clicks and focus survive.
 * The container holds the items' nodes and nothing else; keys are unique.
 * @template Entry
 * @template {{ node: Element }} Item
 * @param {Element} container
 * @param {ListOptions<Entry, Item>} options
 * @returns {(entries: readonly Entry[]) => void}
 */
export const keyedList = (container, { key, create, update, items = new Map() }) => {
  return (entries) => {
    const keys = entries.map(key);
    const wanted = new Set(keys);
    for (const [known, item] of items) {
      if (wanted.has(known)) continue;
      item.node.remove();
      items.delete(known);
    }
    entries.forEach((entry, index) => {
      const item = items.get(keys[index]) ?? create(entry);
      items.set(keys[index], item);
      const place = container.children[index] ?? null;
      if (place !== item.node) container.insertBefore(item.node, place);
      update?.(item, entry);
    });
  };
};

/**
 * A list of texts, one element each.
 * @param {Element} container
 * @param {keyof HTMLElementTagNameMap} [tag]
 * @returns {(texts: readonly string[]) => void}
 */
export const textList = (container, tag = "p") =>
  keyedList(container, { key: (text, index) => `${index} ${text}`, create: (text) => ({ node: make(tag, {}, text) }) });
