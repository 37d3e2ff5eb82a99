/** State shared by several parts: the page's configuration, the view of the maps, and what is shown now. */

/** @import { Config, Observable, Panel, Pictures, View } from "../types" */

/** @type {Config} What does not change while the page runs. */
export const config = JSON.parse(document.getElementById("crosscheck-config")?.textContent ?? "");

/** @type {View} */
export const view = {
  mode: "overlay",
  opacity: 70,
  strongest: 100,
  colours: config.colours.plain[0],
  signedColours: config.colours.signed[0],
  seen: false,
  raw: false,
  contour: true,
  truth: false,
  peek: false,
};

/** @type {Map<unknown, Panel>} The grid's panels by the method's key. */
export const panels = new Map();

/** @type {Set<() => unknown>} */
const listeners = new Set();
let due = false;

/**
 * @param {() => unknown} listener runs after every change of the view; the view counts as painted when what it returns is done
 * @returns {() => void} ends it
 */
export const onViewChange = (listener) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

/**
 * Changes the view; every map is repainted in the next frame.
 * @param {Partial<View>} changes
 */
export const changeView = (changes) => {
  Object.assign(view, changes);
  document.documentElement.dataset.view = JSON.stringify(view);
  if (due) return;
  due = true;
  requestAnimationFrame(async () => {
    due = false;
    const painted = JSON.stringify(view);
    document.documentElement.dataset.contour = view.contour ? "yes" : "no";
    await Promise.all([...listeners].map((listener) => listener()));
    document.documentElement.dataset.viewPainted = painted;
  });
};

/**
 * A value to subscribe to: a subscriber runs at once, and again whenever the value is set.
 * @template T
 * @param {T} value
 * @returns {Observable<T>}
 */
const observable = (value) => {
  /** @type {Set<(value: T) => void>} */
  const subscribers = new Set();
  return {
    get value() {
      return value;
    },
    set(next) {
      value = next;
      for (const subscriber of subscribers) subscriber(value);
    },
    subscribe(subscriber) {
      subscribers.add(subscriber);
      subscriber(value);
    },
  };
};

/** The picture under the maps. It is sent once, with the grid; other parts show it too. */
export const pictures = observable(/** @type {Pictures} */ ({}));

/** The name of the open tab. */
export const openTab = observable("");

/** Who takes a dropped model; nobody where the page takes none. */
export const dropTargets = /** @type {{ model?: (file: File) => void }} */ ({});

/** A sentence about what went wrong with the visitor's last picture or model; empty where nothing did. */
export const problem = observable("");

/** The outline of the known evidence as an image; empty where none is known. */
export const truth = observable("");

/** @param {string} uri */
export const setTruth = (uri) => {
  if (truth.value === uri) return;
  truth.set(uri);
  changeView({});
};

/** @type {Map<string, string>} What is known of the agreement of two methods, in words. */
const pairs = new Map();
const pairKey = (/** @type {string} */ a, /** @type {string} */ b) => [a, b].sort().join(" ");

/** @param {{ a: string, b: string, words: string }[]} known */
export const setPairWords = (known) => {
  pairs.clear();
  for (const { a, b, words } of known) pairs.set(pairKey(a, b), words);
};

/**
 * The agreement of two methods in words; empty where it is not known.
 * @param {string} a
 * @param {string} b
 */
export const pairWords = (a, b) => pairs.get(pairKey(a, b)) ?? "";
