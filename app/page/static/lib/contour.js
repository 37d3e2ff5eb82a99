/** Outlines of a map's strongest part, as the path of an SVG element. */

import { threshold, upsample } from "./maps.js";

/** @import { Codes } from "../types" */

const SIDE = 128; // cells of the longer side on which the outline is traced
const STRONGEST = 10; // percent of the area
const LEAST = 0.2; // of the strongest value: what is weaker is never outlined

/**
 * The outline of the strongest tenth of the evidence for the class, in units of the map's sides: a path for a view box of 1 x 1.
 * @param {Codes} map
 * @param {boolean} signed
 * @param {number} speck shares of the area below which a spot is left out
 * @returns {string} empty where nothing speaks for the class
 */
export const outline = (map, signed, speck = 0.001) => {
  const times = SIDE / Math.max(map.w, map.h);
  const W = Math.max(2, Math.round(map.w * times));
  const H = Math.max(2, Math.round(map.h * times));
  const values = upsample(map, H, W, signed);
  for (let i = 0; i < values.length; i++) values[i] = Math.max(0, values[i]);
  const level = Math.max(LEAST, threshold(values, STRONGEST));
  return loops(values, W, H, level)
    .filter((loop) => Math.abs(area(loop)) >= speck * W * H)
    .map((loop) => `M${loop.map(([x, y]) => `${(x / W).toFixed(4)} ${(y / H).toFixed(4)}`).join("L")}Z`)
    .join("");
};

/** @typedef {[number, number]} Corner */

/** @param {Corner[]} loop */
const area = (loop) =>
  loop.reduce((sum, [x, y], i) => sum + x * loop[(i + 1) % loop.length][1] - loop[(i + 1) % loop.length][0] * y, 0) / 2;

/**
 * Closed lines at which the values pass the level: marching squares over the cells' centres, with a border of 0 around the picture.
 * @param {Float32Array} values
 * @param {number} W
 * @param {number} H
 * @param {number} level
 * @returns {Corner[][]}
 */
const loops = (values, W, H, level) => {
  const at = (/** @type {number} */ x, /** @type {number} */ y) => (x < 0 || y < 0 || x >= W || y >= H ? 0 : values[y * W + x]);
  /** @type {Map<string, { to: string, corner: Corner }>} */
  const next = new Map();
  for (let y = -1; y < H; y++) {
    for (let x = -1; x < W; x++) {
      const [a, b, c, d] = [at(x, y), at(x + 1, y), at(x + 1, y + 1), at(x, y + 1)];
      const inside = [a, b, c, d].map((value) => value >= level);
      if (inside.every(Boolean) || !inside.some(Boolean)) continue;
      const part = (/** @type {number} */ from, /** @type {number} */ to) => (level - from) / (to - from);
      const clamp = (/** @type {number} */ value, /** @type {number} */ most) => Math.min(most, Math.max(0, value));
      /** @type {Record<string, () => Corner>} */
      const sides = {
        top: () => [clamp(x + 0.5 + part(a, b), W), clamp(y + 0.5, H)],
        right: () => [clamp(x + 1.5, W), clamp(y + 0.5 + part(b, c), H)],
        bottom: () => [clamp(x + 0.5 + part(d, c), W), clamp(y + 1.5, H)],
        left: () => [clamp(x + 0.5, W), clamp(y + 0.5 + part(a, d), H)],
      };
      const names = { top: `h${x},${y}`, right: `v${x + 1},${y}`, bottom: `h${x},${y + 1}`, left: `v${x},${y}` };
      const order = /** @type {const} */ (["left", "top", "right", "bottom"]); // around the square; the inside stays on one side
      const corners = [inside[3], inside[0], inside[1], inside[2]]; // the corner before each side
      const leaving = order.filter((_, i) => corners[i] && !corners[(i + 1) % 4]);
      const entering = order.filter((_, i) => !corners[i] && corners[(i + 1) % 4]);
      for (const side of entering) {
        const from = order.indexOf(side);
        const to = [1, 2, 3].map((step) => order[(from + step) % 4]).find((name) => leaving.includes(name));
        if (to) next.set(names[side], { to: names[to], corner: sides[side]() });
      }
    }
  }
  /** @type {Corner[][]} */
  const found = [];
  while (next.size) {
    /** @type {Corner[]} */
    const loop = [];
    let key = /** @type {string} */ (next.keys().next().value);
    for (let link = next.get(key); link; link = next.get(key)) {
      loop.push(link.corner);
      next.delete(key);
      key = link.to;
    }
    if (loop.length > 2) found.push(loop);
  }
  return found;
};
