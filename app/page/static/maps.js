/* A map arrives as a small grey picture of codes and becomes colours here: the same rule as app/rendering.py. */
(() => {
  const page = window.crosscheck;

  /** data URI -> {h, w, codes}: the codes 0..255 as they left the server. */
  page.decode = async (uri) => {
    const { data, width, height } = await page.pixels(uri), codes = new Uint8Array(width * height);
    for (let i = 0; i < codes.length; i++) codes[i] = data[4 * i];
    return { h: height, w: width, codes };
  };

  /** data URI -> its pixels as they left the server, RGBA bytes. */
  page.pixels = async (uri) => {
    const bytes = Uint8Array.from(atob(uri.slice(uri.indexOf(",") + 1)), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, bitmap.width, bitmap.height);
  };

  /** Where output cell i of n reads among m input cells: half-pixel bilinear, clamped at the border. */
  const taps = (n, m) => {
    const low = new Int32Array(n), high = new Int32Array(n), part = new Float32Array(n);
    for (let i = 0; i < n; i++) {
      const at = Math.min(Math.max(((i + 0.5) * m) / n - 0.5, 0), m - 1);
      low[i] = Math.floor(at);
      high[i] = Math.min(low[i] + 1, m - 1);
      part[i] = at - low[i];
    }
    return { low, high, part };
  };

  /** (h, w) codes -> (H, W) shares of the strongest value: -1..1 for signed maps, 0..1 for others. */
  page.enlarge = (map, H, W, signed) => {
    const rows = taps(H, map.h), columns = taps(W, map.w), shares = new Float32Array(H * W);
    const share = signed ? (code) => (code - 128) / 127 : (code) => code / 255;
    for (let y = 0; y < H; y++) {
      const top = rows.low[y] * map.w, bottom = rows.high[y] * map.w, v = rows.part[y];
      for (let x = 0; x < W; x++) {
        const a = columns.low[x], b = columns.high[x], u = columns.part[x];
        const upper = map.codes[top + a] * (1 - u) + map.codes[top + b] * u;
        const lower = map.codes[bottom + a] * (1 - u) + map.codes[bottom + b] * u;
        shares[y * W + x] = Math.max(-1, share(upper * (1 - v) + lower * v));
      }
    }
    return shares;
  };

  /** The smallest magnitude that belongs to the strongest `percent` of the area. */
  page.cut = (shares, percent) => {
    if (percent >= 100) return 0;
    const counts = new Uint32Array(1025);
    for (let i = 0; i < shares.length; i++) counts[Math.round(Math.abs(shares[i]) * 1024)]++;
    let left = (shares.length * percent) / 100, level = 1024;
    while (level > 1 && left - counts[level] > 0) left -= counts[level--];
    return level / 1024;
  };

  const tables = {};
  /** Name of a colour map -> 256 colours as bytes. */
  page.colours = (name) => {
    if (!tables[name]) tables[name] = Uint8Array.from(atob(page.config.colours.tables[name]), (letter) => letter.charCodeAt(0));
    return tables[name];
  };

  /** Paints shares on a canvas of their size, as the view says. */
  page.paint = (canvas, map) => {
    const { mode, opacity, strongest } = page.view;
    const table = page.colours(map.signed ? page.view.signedColours : page.view.colours);
    const image = new ImageData(map.W, map.H), out = image.data, shares = map.shares;
    const cut = page.cut(shares, strongest), strength = opacity / 100;
    for (let i = 0, o = 0; i < shares.length; i++, o += 4) {
      const share = shares[i], size = Math.abs(share), kept = strongest >= 100 || size >= cut;
      if (mode === "spotlight") {
        const light = kept ? Math.min(1, Math.max(0, share) * 1.6) : 0;
        out[o + 3] = 255 * strength * (1 - light);
        continue;
      }
      const code = 3 * (map.signed ? Math.round(128 + 127 * share) : Math.round(255 * share));
      out[o] = table[code];
      out[o + 1] = table[code + 1];
      out[o + 2] = table[code + 2];
      out[o + 3] = !kept ? 0 : mode === "heat" ? 255 : 255 * strength * page.presence(size);
    }
    canvas.width = map.W;
    canvas.height = map.H;
    canvas.getContext("2d").putImageData(image, 0, 0);
  };

  /** How much of the colour covers the photo: nothing where there is no evidence, all from half of the strongest on. */
  page.presence = (size) => Math.min(1, 2 * size);

  /** The share at a point given in 0..1, or null. */
  page.probe = (map, x, y) => {
    if (!map || !map.shares) return null;
    const column = Math.min(map.W - 1, Math.floor(x * map.W)), row = Math.min(map.H - 1, Math.floor(y * map.H));
    return map.shares[row * map.W + column];
  };
  page.reading = (map, x, y) => {
    const share = page.probe(map, x, y);
    if (share === null) return "";
    const percent = Math.round(100 * share);
    return map.signed && percent > 0 ? `+${percent} %` : `${percent < 0 ? "\u2212" : ""}${Math.abs(percent)} %`;
  };
})();
