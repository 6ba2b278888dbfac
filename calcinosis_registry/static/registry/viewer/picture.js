// The pixels of one picture: tiles fetched where they are looked at, and grey values turned into shades.
// A tile is 16-bit differences, deflated; of a colour picture a PNG or JPEG (lesions/raster.py).
const AT_ONCE = 6;
const KEPT = 128; // tiles, the least recently looked at go first
const POLL = 700; // ms, while the server makes the tiles

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Low bytes, then high bytes, of differences folded to 0, 1, 2, ... for 0, -1, 1, ...; summed along each row.
function summed(bytes, width) {
  const count = bytes.length / 2;
  const values = new Uint16Array(count);
  for (let start = 0; start < count; start += width) {
    let value = 0;
    for (let place = start; place < start + width; place += 1) {
      const folded = bytes[place] | (bytes[count + place] << 8);
      value += (folded >>> 1) ^ -(folded & 1);
      values[place] = value;
    }
  }
  return values;
}

function canvas(width, height) {
  return Object.assign(document.createElement("canvas"), { width, height });
}

export class Picture {
  #tiles = new Map();
  #wanted = [];
  #running = 0;
  #stopped = false;

  constructor({ address, preview, width, height, changed }) {
    Object.assign(this, { address, preview, width, height, changed });
    this.frame = 0;
    this.about = null;
    this.shading = 0;
  }

  get frames() {
    return this.about?.frames ?? 1;
  }

  get grey() {
    return this.about?.kind === "grey";
  }

  get look() {
    return this.about?.looks[this.about.look_of[this.frame]] ?? {};
  }

  // Everything the server knows of the file; the tiles are made where they are missing. Null: they cannot be made.
  async open(token) {
    let answer = await this.#ask("GET", token);
    while (answer && !answer.raster && !this.#stopped) {
      if (answer.refused) return answer;
      const again = await this.#ask("POST", token);
      if (again?.busy) await new Promise((done) => setTimeout(done, POLL));
      answer = again;
    }
    if (!answer) return null;
    this.about = answer.raster;
    this.tileAddress = answer.tiles;
    this.width = this.about.width;
    this.height = this.about.height;
    return answer;
  }

  async #ask(method, token) {
    try {
      const headers = method === "POST" ? { "X-CSRFToken": token } : {};
      const answer = await fetch(this.address, { method, headers: { Accept: "application/json", ...headers } });
      return answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  close() {
    this.#stopped = true;
    this.#wanted = [];
  }

  // Which level has about one pixel for each dot of the screen.
  levelFor(dotsPerPixel) {
    const level = Math.round(Math.log2(1 / dotsPerPixel));
    return Math.min(this.about.levels.length - 1, Math.max(0, level));
  }

  // How values become shades: a table of 65,536, or of 256 for colour.
  shade(table) {
    this.table = table;
    this.shading += 1;
  }

  // Draw what is there of the rectangle [left, top, right, bottom] (pixels of the picture), ask for what is not.
  draw(context, level, [left, top, right, bottom]) {
    if (!this.about) {
      if (this.preview?.complete && this.preview.naturalWidth) context.drawImage(this.preview, 0, 0, this.width, this.height);
      return;
    }
    const last = this.about.levels.length - 1;
    const whole = this.#whole(last);
    if (whole) context.drawImage(whole, 0, 0, whole.width * 2 ** last, whole.height * 2 ** last);
    else if (this.preview?.naturalWidth && this.frame === 0) context.drawImage(this.preview, 0, 0, this.width, this.height);
    this.#wanted = whole ? [] : this.#all(last);
    if (level < last || !whole) {
      const size = this.about.tile * 2 ** level;
      const [columns, rows] = this.#grid(level);
      for (let row = Math.max(0, Math.floor(top / size)); row < Math.min(rows, bottom / size); row += 1) {
        for (let column = Math.max(0, Math.floor(left / size)); column < Math.min(columns, right / size); column += 1) {
          const tile = this.#tiles.get(this.#key(level, column, row));
          if (level < last) this.#paint(context, tile, 2 ** level, column * size, row * size);
          if (!tile) this.#wanted.push([level, column, row]);
        }
      }
    }
    this.#next();
  }

  #paint(context, tile, scale, x, y) {
    const shown = tile?.values || tile?.bitmap ? this.#shaded(tile) : null;
    if (shown) context.drawImage(shown, x, y, tile.width * scale, tile.height * scale);
  }

  #grid(level) {
    return this.about.levels[level].map((side) => Math.ceil(side / this.about.tile));
  }

  #key(level, column, row) {
    return `${this.frame}/${level}/${column}/${row}`;
  }

  #all(level) {
    const [columns, rows] = this.#grid(level);
    const places = [];
    for (let row = 0; row < rows; row += 1) for (let column = 0; column < columns; column += 1) places.push([level, column, row]);
    return places.filter((place) => !this.#tiles.get(this.#key(...place)));
  }

  // The coarsest level as one picture: under the tiles it also hides the seams between them.
  #whole(level) {
    const [width, height] = this.about.levels[level];
    const tiles = [];
    const [columns, rows] = this.#grid(level);
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        const tile = this.#tiles.get(this.#key(level, column, row));
        if (!tile?.width) return null;
        tiles.push([tile, column, row]);
      }
    }
    const key = `${this.frame}/${this.shading}`;
    if (this.base?.key !== key) {
      const drawn = canvas(width, height);
      const context = drawn.getContext("2d");
      for (const [tile, column, row] of tiles) this.#paint(context, tile, 1, column * this.about.tile, row * this.about.tile);
      this.base = { key, drawn };
    }
    return this.base.drawn;
  }

  #next() {
    while (this.#running < AT_ONCE && this.#wanted.length) {
      const place = this.#wanted.shift();
      const key = this.#key(...place);
      if (this.#tiles.has(key)) continue;
      this.#tiles.set(key, {});
      this.#running += 1;
      this.#fetch(key, place).finally(() => {
        this.#running -= 1;
        if (!this.#stopped) this.changed();
        this.#next();
      });
    }
  }

  async #fetch(key, [level, column, row]) {
    try {
      const answer = await fetch(`${this.tileAddress}${key}/`);
      if (!answer.ok) throw new Error(answer.statusText);
      const bytes = await answer.arrayBuffer();
      const [width, height] = this.about.levels[level];
      const tile = { width: Math.min(this.about.tile, width - column * this.about.tile), height: Math.min(this.about.tile, height - row * this.about.tile) };
      if (this.grey) tile.values = summed(await inflated(bytes), tile.width);
      else tile.bitmap = await createImageBitmap(new Blob([bytes]));
      this.#tiles.set(key, tile);
      for (const old of this.#tiles.keys()) {
        if (this.#tiles.size <= KEPT) break;
        this.#tiles.delete(old);
      }
    } catch {
      // The coarser picture stays; asked for again when the place is looked at again, but not at once.
      setTimeout(() => this.#tiles.delete(key), 3000);
    }
  }

  #shaded(tile) {
    if (tile.shading === this.shading) return tile.shown;
    tile.shading = this.shading;
    if (tile.bitmap && !this.table) {
      tile.shown = tile.bitmap;
      return tile.shown;
    }
    if (!(tile.shown instanceof HTMLCanvasElement)) tile.shown = canvas(tile.width, tile.height);
    const context = tile.shown.getContext("2d");
    if (tile.bitmap && !tile.colours) {
      context.drawImage(tile.bitmap, 0, 0);
      tile.colours = context.getImageData(0, 0, tile.width, tile.height).data;
    }
    const image = context.createImageData(tile.width, tile.height);
    if (tile.values) shadeGrey(tile.values, this.table, new Uint32Array(image.data.buffer));
    else shadeColours(tile.colours, this.table, image.data);
    context.putImageData(image, 0, 0);
    return tile.shown;
  }
}

function shadeGrey(values, table, dots) {
  for (let place = 0; place < values.length; place += 1) dots[place] = table[values[place]];
}

function shadeColours(colours, table, dots) {
  for (let place = 0; place < colours.length; place += 4) {
    dots[place] = table[colours[place]];
    dots[place + 1] = table[colours[place + 1]];
    dots[place + 2] = table[colours[place + 2]];
    dots[place + 3] = 255;
  }
}
