// Where the picture lies on the screen: zoom, pan, quarter turns; by mouse, touch, wheel and keys.
// x, y are pixels of the picture; on the screen a pixel is `zoom` CSS pixels wide along its shorter side.
import { Picture } from "./picture.js";
import { colourTable, firstWindow, greyTable, isPlain, reach } from "./window.js";

const STEP = 1.25;
const NEAREST = 6; // from this zoom on single pixels are shown as squares
const CLOSEST = 32;

export class Stage extends EventTarget {
  #pointers = new Map();
  #pinching = false; // from the second finger until the last one is lifted
  #waiting = false;

  constructor(element) {
    super();
    this.element = element;
    this.canvas = element.querySelector("canvas");
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.aspect = [1, 1];
    this.turns = 0;
    this.tool = "window";
    this.drawing = null; // a tool that draws takes the pointer and the keys first
    new ResizeObserver(() => this.#resized()).observe(element);
    for (const kind of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) element.addEventListener(kind, (event) => this.#pointer(event));
    element.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    element.addEventListener("keydown", (event) => this.#key(event));
    element.addEventListener("dblclick", (event) => this.drawing?.finish?.(event));
  }

  async show({ address, preview, width, height, token }) {
    this.picture?.close();
    const picture = new Picture({ address, preview, width, height, changed: () => this.draw() });
    this.picture = picture;
    this.window = firstWindow({});
    this.turns = 0;
    this.fit();
    const told = await picture.open(token);
    if (this.picture !== picture) return null;
    if (told?.raster) {
      const spacing = told.calibrations?.find((one) => !one.box)?.spacing;
      this.aspect = spacing ? [spacing[1] / Math.min(...spacing), spacing[0] / Math.min(...spacing)] : [1, 1];
      this.reset();
    }
    return told;
  }

  // Screen and picture

  get size() {
    return [this.element.clientWidth, this.element.clientHeight];
  }

  #matrix() {
    const [width, height] = this.size;
    const [cos, sin] = [[1, 0], [0, 1], [-1, 0], [0, -1]][this.turns];
    const [across, down] = this.aspect.map((one) => one * this.zoom);
    const [a, b, c, d] = [cos * across, sin * across, -sin * down, cos * down];
    return [a, b, c, d, width / 2 - a * this.x - c * this.y, height / 2 - b * this.x - d * this.y];
  }

  toScreen([x, y]) {
    const [a, b, c, d, e, f] = this.#matrix();
    return [a * x + c * y + e, b * x + d * y + f];
  }

  toPicture([left, top]) {
    const [a, b, c, d, e, f] = this.#matrix();
    const area = a * d - b * c;
    const [x, y] = [left - e, top - f];
    return [(d * x - c * y) / area, (a * y - b * x) / area];
  }

  at(event) {
    const box = this.element.getBoundingClientRect();
    return [event.clientX - box.left - this.element.clientLeft, event.clientY - box.top - this.element.clientTop];
  }

  // What a person does

  get fitting() {
    const sides = [this.picture.width * this.aspect[0], this.picture.height * this.aspect[1]];
    if (this.turns % 2) sides.reverse();
    const [width, height] = this.size;
    return Math.min(width / sides[0], height / sides[1]) || 1;
  }

  fit() {
    this.zoom = this.fitting;
    this.fitted = true;
    [this.x, this.y] = [this.picture.width / 2, this.picture.height / 2];
    this.#moved();
  }

  reset() {
    this.turns = 0;
    this.window = firstWindow(this.picture.look);
    this.#shade();
    this.fit();
  }

  // Zoom so that what is under `place` (of the screen) stays there.
  zoomTo(zoom, place = this.size.map((side) => side / 2)) {
    const kept = this.toPicture(place);
    this.zoom = Math.min(CLOSEST, Math.max(this.fitting / 4, zoom));
    this.fitted = false;
    const now = this.toPicture(place);
    this.x += kept[0] - now[0];
    this.y += kept[1] - now[1];
    this.#moved();
  }

  zoomBy(factor, place) {
    this.zoomTo(this.zoom * factor, place);
  }

  pan(right, down) {
    const [width, height] = this.size;
    const [x, y] = this.toPicture([width / 2 - right, height / 2 - down]);
    this.x = Math.min(this.picture.width, Math.max(0, x));
    this.y = Math.min(this.picture.height, Math.max(0, y));
    this.fitted = false;
    this.#moved();
  }

  turn(quarters) {
    this.turns = (this.turns + quarters + 4) % 4;
    if (this.fitted) this.fit();
    else this.#moved();
  }

  lookAt({ x, y, zoom, turns }) {
    Object.assign(this, { x, y, zoom, turns, fitted: false });
    this.draw();
  }

  setWindow(change) {
    this.window = { ...this.window, ...change, width: Math.max(1e-3, change.width ?? this.window.width) };
    this.#shade();
    this.draw();
    this.#tell("looked");
  }

  invert() {
    this.setWindow({ inverted: !this.window.inverted });
  }

  // A drag or key: to the right widens, upwards brightens.
  windowBy(right, down) {
    const [width, height] = this.size;
    const all = reach(this.picture.look);
    this.setWindow({ curve: false, width: this.window.width + (right / width) * all, centre: this.window.centre + (down / height) * all });
  }

  goTo(frame) {
    const wanted = Math.min(this.picture.frames - 1, Math.max(0, frame));
    if (wanted === this.picture.frame) return;
    this.picture.frame = wanted;
    this.#shade();
    this.draw();
    this.#tell("framed");
  }

  // Drawing

  #shade() {
    const { picture, window } = this;
    if (!picture.about) return;
    const plain = !picture.grey && isPlain(picture.look, window);
    picture.shade(plain ? null : picture.grey ? greyTable(picture.look, window) : colourTable(window));
  }

  #resized() {
    const dots = globalThis.devicePixelRatio || 1;
    const [width, height] = this.size;
    this.canvas.width = Math.max(1, Math.round(width * dots));
    this.canvas.height = Math.max(1, Math.round(height * dots));
    if (!this.picture) return;
    if (this.fitted) this.fit();
    else this.draw();
  }

  #moved() {
    this.draw();
    this.#tell("moved");
  }

  #tell(kind) {
    this.dispatchEvent(new Event(kind));
  }

  draw() {
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => {
      this.#waiting = false;
      this.#paint();
    });
  }

  #paint() {
    const { context, canvas, picture } = this;
    const dots = canvas.width / Math.max(1, this.size[0]);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#05080b";
    context.fillRect(0, 0, canvas.width, canvas.height);
    const matrix = this.#matrix();
    context.setTransform(...matrix.map((one) => one * dots));
    context.imageSmoothingEnabled = this.zoom * dots < NEAREST;
    context.imageSmoothingQuality = "high";
    const corners = [[0, 0], [this.size[0], 0], [0, this.size[1]], this.size].map((one) => this.toPicture(one));
    const [xs, ys] = [0, 1].map((side) => corners.map((one) => one[side]));
    const level = picture.about ? picture.levelFor(this.zoom * dots) : 0;
    picture.draw(context, level, [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]);
    this.#tell("drawn");
  }

  // Hands

  #pointer(event) {
    if (event.target.closest?.("button, input, select, a")) return;
    const place = this.at(event);
    const before = this.#pointers.get(event.pointerId);
    if (event.type === "pointerdown") {
      this.element.focus({ preventScroll: true });
      this.element.setPointerCapture(event.pointerId);
      this.#pointers.set(event.pointerId, place);
      if (this.#pointers.size > 1 && !this.#pinching) this.drawing?.cancelTouch();
      this.#pinching ||= this.#pointers.size > 1;
    }
    if (!this.#pinching && this.drawing?.pointer(event, place)) {
      if (event.type === "pointermove" && before) this.#pointers.set(event.pointerId, place);
    } else if (event.type === "pointermove" && before) this.#dragged(event, before, place);
    if (event.type === "pointerup" || event.type === "pointercancel") this.#pointers.delete(event.pointerId);
    if (!this.#pointers.size) this.#pinching = false;
  }

  #dragged(event, before, place) {
    const [right, down] = [place[0] - before[0], place[1] - before[1]];
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.#pointers.set(event.pointerId, place);
    if (other) {
      const apart = (one) => Math.hypot(one[0] - other[0], one[1] - other[1]) || 1;
      this.pan(right / 2, down / 2);
      this.zoomBy(apart(place) / apart(before), [(place[0] + other[0]) / 2, (place[1] + other[1]) / 2]);
    } else if (this.tool === "window" && !this.#pinching && event.buttons === 1 && !event.shiftKey) this.windowBy(right, down);
    else this.pan(right, down);
  }

  #wheel(event) {
    if (!this.picture) return;
    event.preventDefault();
    if (event.altKey && this.picture.frames > 1) this.goTo(this.picture.frame + Math.sign(event.deltaY));
    else this.zoomBy(1.0015 ** -event.deltaY, this.at(event));
  }

  #key(event) {
    if (event.target !== this.element || event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.drawing?.key(event) || this.#did(event)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  #did(event) {
    const [width, height] = this.size;
    const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const arrow = arrows[event.key];
    if (arrow && event.shiftKey) this.windowBy((arrow[0] * width) / 40, (arrow[1] * height) / 40);
    else if (arrow) this.pan((-arrow[0] * width) / 12, (-arrow[1] * height) / 12);
    else {
      const keys = {
        "+": () => this.zoomBy(STEP), "=": () => this.zoomBy(STEP), "-": () => this.zoomBy(1 / STEP),
        0: () => this.fit(), 1: () => this.zoomTo(1 / (globalThis.devicePixelRatio || 1)),
        i: () => this.invert(), r: () => this.turn(1), R: () => this.turn(-1),
        PageDown: () => this.goTo(this.picture.frame + 1), PageUp: () => this.goTo(this.picture.frame - 1),
        Home: () => this.goTo(0), End: () => this.goTo(this.picture.frames - 1), Backspace: () => this.reset(),
      };
      if (!keys[event.key]) return false;
      keys[event.key]();
    }
    return true;
  }
}
