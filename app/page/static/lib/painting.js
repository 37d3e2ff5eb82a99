/** Paints the map of a panel at any size, with the outline of its strongest part. */

import { outline } from "./contour.js";
import { paintMap, photoPixels, smoothed, upsample } from "./maps.js";
import { view } from "./view_state.js";

/** @import { Panel, ShownMap } from "../types" */

const SPECK = 0.001; // share of the picture below which a spot is not outlined
const SPECK_OF_SUMMARY = 0.004;

/**
 * The codes that are painted: smoothed where single pixels would not be seen.
 * @param {Panel} panel
 */
export const shownCodes = (panel) => {
  if (!panel.codes) return null;
  return panel.entry.fine && !view.raw ? (panel.smooth ??= smoothed(panel.codes, panel.entry.signed)) : panel.codes;
};

/**
 * A map enlarged to a size; the same object again while nothing of it has changed.
 * @param {Panel} panel
 * @param {number} side pixels of the longer side
 * @param {ShownMap | null} before
 * @returns {ShownMap | null} null without a map
 */
export const enlargedMap = (panel, side, before = null) => {
  const codes = shownCodes(panel);
  if (!codes || before?.codes === codes) return codes && before;
  const { width = codes.w, height = codes.h } = panel.pictures;
  const times = side / Math.max(width, height);
  const W = Math.round(width * times);
  const H = Math.round(height * times);
  const { signed } = panel.entry;
  return { W, H, signed, codes, shares: upsample(codes, H, W, signed) };
};

/**
 * @param {HTMLCanvasElement} canvas
 * @param {ShownMap} map
 * @param {Panel} panel
 */
export const paintPanel = async (canvas, map, panel) => {
  const { seen, photo } = panel.pictures;
  const wanted = view.seen ? seen : photo;
  paintMap(canvas, map, wanted ? await photoPixels(wanted, map.W, map.H) : null);
};

/**
 * The outline of the strongest tenth, for a view box of 1 x 1.
 * @param {Panel} panel
 */
export const outlineOf = (panel) => {
  const codes = shownCodes(panel);
  return codes ? outline(codes, panel.entry.signed, panel.entry.summary ? SPECK_OF_SUMMARY : SPECK) : "";
};

/**
 * Where the first map is stronger than the second, and where it is weaker: each in shares of its own strongest value.
 * @param {HTMLCanvasElement} canvas
 * @param {Panel} first
 * @param {Panel} second
 */
export const paintDifference = async (canvas, first, second) => {
  const [a, b] = [first, second].map((panel) => enlargedMap(panel, DIFFERENCE_SIDE));
  if (!a || !b) return;
  const shares = a.shares.map((share, i) => Math.max(-1, Math.min(1, share - b.shares[i])));
  await paintPanel(canvas, { ...a, signed: true, shares }, first);
};

const DIFFERENCE_SIDE = 640;
