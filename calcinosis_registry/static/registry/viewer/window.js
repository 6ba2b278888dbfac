// Window and level: what value is black, what is white. Pure functions of a look (lesions/raster_pixels.py).
export function firstWindow(look) {
  const [, centre, width] = look.windows?.[0] ?? ["", 127.5, 255];
  return { centre, width, curve: Boolean(look.curve), inverted: false };
}

export function isPlain(look, { centre, width, inverted }) {
  return !look.windows && centre === 127.5 && width === 255 && !inverted;
}

// 0..1 of a value; a curve of the file's own stands for its window until somebody changes it.
function share(value, { centre, width }) {
  return Math.min(1, Math.max(0, (value - centre) / width + 0.5));
}

function curved(stored, curve) {
  const last = curve.shades.length - 1;
  const place = Math.min(last, Math.max(0, ((stored - curve.from) / (curve.to - curve.from)) * last));
  return curve.shades[Math.round(place)] / 255;
}

export function greyTable(look, window) {
  const table = new Uint32Array(65536);
  const turned = Boolean(look.inverted) !== window.inverted;
  for (let stored = 0; stored < table.length; stored += 1) {
    const part = window.curve && look.curve ? curved(stored, look.curve) : share(stored * look.slope + look.intercept, window);
    const shade = Math.round((turned ? 1 - part : part) * 255);
    table[stored] = 0xff000000 | (shade << 16) | (shade << 8) | shade;
  }
  return table;
}

export function colourTable(window) {
  const table = new Uint8Array(256);
  for (let value = 0; value < 256; value += 1) {
    const part = share(value, window);
    table[value] = Math.round((window.inverted ? 1 - part : part) * 255);
  }
  return table;
}

// How far a drag over the whole stage moves the window.
export function reach(look) {
  const [low, high] = look.range ?? [0, 255];
  return Math.max(high - low, 1e-3);
}
