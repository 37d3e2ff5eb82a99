/** Decodes maps, which arrive as small grey images of codes, and colours them by the same rule as the server's rendering. */

import { config, view } from "./view_state.js";

/** @import { Codes, ShownMap } from "../types" */

/**
 * The codes 0..255 of a map, exactly as the server sent them.
 * @param {string} uri a data URI
 * @returns {Promise<Codes>}
 */
export const decode = async (uri) => {
  const { data, width, height } = await pixels(uri);
  const codes = new Uint8Array(width * height);
  for (let i = 0; i < codes.length; i++) codes[i] = data[4 * i];
  return { h: height, w: width, codes };
};

/**
 * The RGBA bytes of a picture, exactly as the server sent them.
 * @param {string} uri a data URI
 */
export const pixels = async (uri) => {
  const bytes = fromBase64(uri.slice(uri.indexOf(",") + 1));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }), {
    colorSpaceConversion: "none",
    premultiplyAlpha: "none",
  });
  const context = context2d(new OffscreenCanvas(bitmap.width, bitmap.height), { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
};

/** @param {string} text */
const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/**
 * @template {HTMLCanvasElement | OffscreenCanvas} Canvas
 * @param {Canvas} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export const context2d = (canvas, settings) => {
  const context = /** @type {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D | null} */ (canvas.getContext("2d", settings));
  if (!context) throw new Error("this browser gives no 2D canvas");
  return context;
};

/**
 * Draws an image on a canvas and adopts its size.
 * @param {HTMLCanvasElement} canvas
 * @param {ImageData} image
 */
export const putImage = (canvas, image) => {
  canvas.width = image.width;
  canvas.height = image.height;
  context2d(canvas).putImageData(image, 0, 0);
};

/**
 * Positions and weights for resampling m cells to n: half-pixel bilinear, clamped at the border.
 * @param {number} n
 * @param {number} m
 */
const taps = (n, m) => {
  const low = new Int32Array(n);
  const high = new Int32Array(n);
  const part = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    const at = Math.min(Math.max(((i + 0.5) * m) / n - 0.5, 0), m - 1);
    low[i] = Math.floor(at);
    high[i] = Math.min(low[i] + 1, m - 1);
    part[i] = at - low[i];
  }
  return { low, high, part };
};

/**
 * (h, w) codes -> (H, W) shares of the strongest value: -1..1 for signed maps, 0..1 for others.
 * @param {Codes} map
 * @param {number} H
 * @param {number} W
 * @param {boolean} signed
 */
export const upsample = (map, H, W, signed) => {
  const rows = taps(H, map.h);
  const columns = taps(W, map.w);
  const shares = new Float32Array(H * W);
  const share = signed ? (/** @type {number} */ code) => (code - 128) / 127 : (/** @type {number} */ code) => code / 255;
  for (let y = 0; y < H; y++) {
    const top = rows.low[y] * map.w;
    const bottom = rows.high[y] * map.w;
    const v = rows.part[y];
    for (let x = 0; x < W; x++) {
      const a = columns.low[x];
      const b = columns.high[x];
      const u = columns.part[x];
      const upper = map.codes[top + a] * (1 - u) + map.codes[top + b] * u;
      const lower = map.codes[bottom + a] * (1 - u) + map.codes[bottom + b] * u;
      shares[y * W + x] = Math.max(-1, share(upper * (1 - v) + lower * v));
    }
  }
  return shares;
};

/**
 * The smallest magnitude that belongs to the strongest `percent` of the area.
 * @param {Float32Array} shares
 * @param {number} percent
 */
export const threshold = (shares, percent) => {
  if (percent >= 100) return 0;
  const counts = new Uint32Array(1025);
  for (let i = 0; i < shares.length; i++) counts[Math.round(Math.abs(shares[i]) * 1024)]++;
  let left = (shares.length * percent) / 100;
  let level = 1024;
  while (level > 1 && left - counts[level] > 0) left -= counts[level--];
  return level / 1024;
};

/** @type {Record<string, Uint8Array>} */
const tables = {};

/**
 * The 256 colours of a colour map, as RGB bytes.
 * @param {string} name
 */
export const colourTable = (name) => (tables[name] ??= fromBase64(config.colours.tables[name]));

/**
 * The photograph as RGBA bytes of W x H pixels; the newest few are kept.
 * @param {string} uri
 * @param {number} W
 * @param {number} H
 * @returns {Promise<Uint8ClampedArray>}
 */
export const photoPixels = (uri, W, H) => {
  const key = `${W} ${H} ${uri}`;
  const known = photos.get(key);
  if (known) return known;
  const found = drawn(uri, W, H);
  photos.set(key, found);
  for (const old of photos.keys()) if (photos.size > MOST_PHOTOS) photos.delete(old);
  return found;
};

const MOST_PHOTOS = 6;
/** @type {Map<string, Promise<Uint8ClampedArray>>} */
const photos = new Map();

/**
 * @param {string} uri
 * @param {number} W
 * @param {number} H
 */
const drawn = async (uri, W, H) => {
  const image = new Image();
  image.src = uri;
  await image.decode();
  const context = context2d(new OffscreenCanvas(W, H), { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, W, H);
  return context.getImageData(0, 0, W, H).data;
};

/**
 * Shares smoothed by a Gaussian and scaled again to their own strongest value: a map of single pixels is invisible at panel size.
 * @param {Codes} map
 * @param {boolean} signed
 * @returns {Codes} of the same size
 */
export const smoothed = (map, signed) => {
  const sigma = (SMOOTHING * Math.max(map.w, map.h)) / 224;
  const reach = Math.ceil(3 * sigma);
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const zero = signed ? 128 : 0;
  let values = Float32Array.from(map.codes, (code) => code - zero);
  for (const [step, size] of [
    [1, map.w],
    [map.w, map.h],
  ]) {
    const next = new Float32Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const at = Math.floor(i / step) % size;
      let sum = 0;
      for (let k = -reach; k <= reach; k++) {
        const place = Math.min(size - 1, Math.max(0, at + k)); // the border is repeated
        sum += weights[k + reach] * values[i + (place - at) * step];
      }
      next[i] = sum / total;
    }
    values = next;
  }
  const sizes = values.map(Math.abs).sort();
  const strongest = sizes[Math.ceil(config.colours.rule.strongest * (sizes.length - 1))] || sizes[sizes.length - 1] || 1;
  const top = 255 - zero;
  const codes = Uint8Array.from(values, (value) => Math.round(zero + top * Math.min(1, Math.max(signed ? -1 : 0, value / strongest))));
  return { h: map.h, w: map.w, codes };
};

const SMOOTHING = 3.2; // pixels of a picture of 224

/**
 * Paints a map over the photograph on a canvas, with the view's settings.
 * @param {HTMLCanvasElement} canvas
 * @param {ShownMap} map
 * @param {Uint8ClampedArray | null} photo RGBA bytes of W x H pixels
 */
export const paintMap = (canvas, map, photo) => {
  const { mode, opacity, strongest } = view;
  const { shares, W } = map;
  const { rule } = config.colours;
  const name = map.signed ? view.signedColours : view.colours;
  const bright = rule.tables.includes(name);
  const table = colourTable(name);
  const image = new ImageData(map.W, map.H);
  const out = image.data;
  const cut = threshold(shares, strongest);
  for (let i = 0, o = 0; i < shares.length; i++, o += 4) {
    const share = shares[i];
    const size = Math.abs(share);
    const kept = strongest >= 100 || size >= cut;
    const [r, g, b] = photo ? [photo[o], photo[o + 1], photo[o + 2]] : [0, 0, 0];
    out[o + 3] = 255;
    if (mode === "spotlight") {
      const lit = kept ? 0.1 + 0.9 * fade(Math.max(0, share), 0.12, 0.55) : 0.1;
      out[o] = lit * r;
      out[o + 1] = lit * g;
      out[o + 2] = lit * b;
      continue;
    }
    const code = 3 * (map.signed ? Math.round(128 + 127 * share) : Math.round(255 * share));
    if (mode === "heat") {
      out[o] = table[code];
      out[o + 1] = table[code + 1];
      out[o + 2] = table[code + 2];
      out[o + 3] = kept ? 255 : 0;
      continue;
    }
    const light = 0.299 * r + 0.587 * g + 0.114 * b;
    let cover = 0;
    if (kept) cover = bright ? rule.cover * fade(size, rule.fadeFrom, rule.fadeTo) : (opacity / 100) * Math.min(1, 2 * size);
    if (bright && share < 0 && ((i % W) + Math.floor(i / W)) % hatch(W) < (hatch(W) * rule.hatchWidth) / rule.hatchPeriod) {
      cover *= rule.hatchCover;
    }
    const tint = bright ? 0.9 + (0.1 * light) / 255 : 1;
    for (let channel = 0; channel < 3; channel++) {
      const own = photo ? photo[o + channel] : 0;
      const under = bright ? rule.brightness * (light + rule.chroma * (own - light)) : own;
      out[o + channel] = under * (1 - cover) + table[code + channel] * tint * cover;
    }
  }
  putImage(canvas, image);
};

/**
 * The period of the hatching in pixels of a canvas of that width, which is shown about half as wide.
 * @param {number} W
 */
const hatch = (W) => Math.max(config.colours.rule.hatchPeriod, Math.round((config.colours.rule.hatchPeriod * W) / 224));

/**
 * 0 below `from`, 1 above `to`, smooth between.
 * @param {number} value
 * @param {number} from
 * @param {number} to
 */
const fade = (value, from, to) => {
  const share = Math.min(1, Math.max(0, (value - from) / (to - from)));
  return share * share * (3 - 2 * share);
};

/**
 * The share at a point given in 0..1 of each side; null without a map.
 * @param {ShownMap | null} map
 * @param {number} x
 * @param {number} y
 */
const shareAt = (map, x, y) => {
  if (!map) return null;
  const column = Math.min(map.W - 1, Math.floor(x * map.W));
  const row = Math.min(map.H - 1, Math.floor(y * map.H));
  return map.shares[row * map.W + column];
};

/**
 * The share at a point as a percentage; empty without a map.
 * @param {ShownMap | null} map
 * @param {number} x
 * @param {number} y
 */
export const readMap = (map, x, y) => {
  const share = shareAt(map, x, y);
  if (share === null) return "";
  const percent = Math.round(100 * share);
  return map?.signed && percent > 0 ? `+${percent} %` : `${percent < 0 ? "\u2212" : ""}${Math.abs(percent)} %`;
};
