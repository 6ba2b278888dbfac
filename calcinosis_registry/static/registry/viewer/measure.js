// Drawing on the picture: distance, size of two axes, outline, mark, scale. What is drawn is kept on the server, which
// works out the millimetres; here they are shown while drawing.
import { across, alongAxis, axes, calibrationOf, distance, knownLength, polygon, thinned } from "./geometry.js";
import { cross, drawn } from "./overlay.js";

const KINDS = { distance: "LENGTH", size: "LENGTH", outline: "PLANIMETRIC_AREA", mark: "MARK", scale: "SCALE" };
const POINTS = { distance: 2, size: 4, mark: 1, scale: 2 };
const KEYS = { d: "distance", s: "size", o: "outline", m: "mark" };
const NEAR = 12; // screen pixels
const STILL = 5;
const MOST = 400;

class Measuring {
  #draft = null; // {tool, kind, points, id?, version?, done}
  #held = null; // a handle being dragged
  #from = null; // where the pointer went down
  #before = null; // the points before it did
  #frame = 0;

  constructor(viewer) {
    this.viewer = viewer;
    this.stage = viewer.stage;
    this.marks = viewer.querySelector(".viewer-marks");
    this.panel = viewer.querySelector("[data-save]");
    this.words = this.panel.dataset;
    this.saved = [];
    this.calibrations = [];
    this.#listen();
  }

  get field() {
    return (name) => this.panel.querySelector(`[data-field=${name}]`);
  }

  #listen() {
    const { stage, viewer, panel } = this;
    stage.addEventListener("drawn", () => this.#place());
    viewer.addEventListener("viewer:tool", (event) => this.#choose(event.detail));
    viewer.addEventListener("viewer:ready", (event) => this.#open(event.detail.told));
    stage.element.addEventListener("keydown", (event) => {
      const tool = KEYS[event.key];
      if (!tool || event.ctrlKey || event.metaKey || event.altKey || event.target !== stage.element) return;
      event.preventDefault();
      viewer.controls.choose(tool);
      this.cursor = stage.size.map((side) => side / 2);
      stage.draw();
    });
    panel.addEventListener("click", (event) => {
      const act = event.target.closest("button")?.dataset.do;
      if (act === "save") this.#save();
      if (act === "discard") this.discard();
    });
    panel.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target.matches("input")) { event.preventDefault(); this.#save(); }
      if (event.key === "Escape") this.discard();
    });
    panel.addEventListener("input", () => this.#say());
    document.addEventListener("click", (event) => {
      const button = event.target.closest("[data-show-measure]");
      if (button && this.show(button.dataset.showMeasure)) event.preventDefault();
    });
    if (viewer.told) this.#open(viewer.told);
  }

  async #open(told) {
    this.calibrations = told?.calibrations ?? [];
    this.saved = [];
    if (!told?.raster) return;
    try {
      const answer = await fetch(this.words.address, { headers: { Accept: "application/json" } });
      this.#take(await answer.json());
    } catch { /* the list beside the picture still stands */ }
  }

  #take({ measures }) {
    this.saved = measures;
    const scales = measures.filter((one) => one.kind === "SCALE");
    const select = this.field("scale");
    const header = this.calibrations.length ? [new Option([...new Set(this.calibrations.map((one) => one.words))].join("; "), "")] : [new Option(this.words.none, "")];
    select.replaceChildren(...scales.map((one) => new Option(`${this.words.known} ${one.text}`, one.id)).reverse(), ...header);
    this.viewer.scaleMm = this.calibrations.length || !scales.length ? null : knownLength(scales.at(-1).points, scales.at(-1).known)[0];
    if (this.viewer.scaleMm) this.viewer.querySelector("[data-calibration]").textContent = `${this.words.known} ${scales.at(-1).text}`;
    this.viewer.controls.showScale();
    this.stage.draw();
  }

  // Tools

  #choose(tool) {
    this.discard();
    this.tool = KINDS[tool] ? tool : null;
    this.stage.drawing = this.tool ? this : null;
    this.cursor = null;
    if (this.tool) this.#begin();
    this.stage.draw();
  }

  #begin() {
    this.#draft = { tool: this.tool, kind: KINDS[this.tool], points: [], done: false };
  }

  discard() {
    const editing = this.#draft?.id;
    this.#draft = null;
    this.panel.hidden = true;
    this.panel.querySelector("[data-problem]").textContent = "";
    if (this.tool) this.#begin();
    else if (editing) this.stage.drawing = null;
    this.#announce("");
    this.stage.draw();
  }

  // A saved measurement, to look at and to move its points.
  show(id) {
    const measure = this.saved.find((one) => one.id === id);
    if (!measure) return false;
    this.viewer.controls.choose("window");
    const tool = { SCALE: "scale", MARK: "mark", PLANIMETRIC_AREA: "outline" }[measure.kind] ?? (measure.points.length === 4 ? "size" : "distance");
    this.stage.goTo(measure.frame);
    this.#draft = { tool, kind: measure.kind, points: measure.points.map((one) => [...one]), id, version: measure.version, label: measure.lesion, done: true, moved: false };
    this.stage.drawing = this.words.edits ? this : null;
    this.#lookAt(measure.points);
    this.#panel();
    this.viewer.scrollIntoView({ block: "nearest" });
    return true;
  }

  #lookAt(points) {
    const { stage } = this;
    const outside = points.map((one) => stage.toScreen(one)).some(([x, y]) => x < 0 || y < 0 || x > stage.size[0] || y > stage.size[1]);
    if (outside) stage.fit();
    stage.draw();
  }

  // Pointer: stage.js asks first here. True: taken.

  pointer(event, place) {
    const draft = this.#draft;
    if (!draft || (event.pointerType === "mouse" && event.button > 0)) return false;
    if (event.type === "pointerdown") return this.#down(place);
    if (event.type === "pointermove") return this.#move(place, event.buttons === 1);
    if (event.type === "pointerup") return this.#up(place);
    return this.#held !== null;
  }

  #down(place) {
    const draft = this.#draft;
    this.#from = place;
    this.#before = draft.done ? null : [...draft.points];
    this.#held = this.#handleAt(place);
    if (this.#held !== null) return true;
    if (draft.done) return false;
    const point = this.#inside(place);
    if (draft.tool === "outline" && draft.points.length > 2 && this.#near(draft.points[0], place)) return this.#finish();
    this.#add(point);
    return true;
  }

  #move(place, pressed) {
    const draft = this.#draft;
    const point = this.#inside(place);
    if (this.#held !== null && pressed) {
      this.#drag(this.#held, point);
      return true;
    }
    if (draft.done) return false;
    if (draft.tool === "outline" && pressed && draft.points.length) {
      if (!this.#near(draft.points.at(-1), place, 3)) draft.points.push(point);
    } else this.pending = point;
    this.#say();
    this.stage.draw();
    return true;
  }

  #up(place) {
    const draft = this.#draft;
    const moved = this.#from && Math.hypot(place[0] - this.#from[0], place[1] - this.#from[1]) > STILL;
    const held = this.#held !== null;
    this.#held = null;
    if (held) return true;
    if (draft.done) return false;
    if (moved && draft.tool === "outline" && draft.points.length > 8) return this.#finish();
    if (moved && draft.tool !== "outline" && draft.tool !== "mark" && draft.points.length % 2) this.#add(this.#inside(place));
    return true;
  }

  // A second finger: it was the beginning of a pinch, and no point.
  cancelTouch() {
    this.#held = null;
    if (!this.#draft || !this.#before) return;
    if (this.#draft.done) this.discard(); // the point of this touch was its last
    Object.assign(this.#draft, { points: this.#before, done: false });
    this.pending = this.#before = null;
    this.#say();
  }

  finish() {
    if (this.#draft?.tool === "outline" && !this.#draft.done && this.#draft.points.length > 2) this.#finish();
  }

  #inside([left, top]) {
    const { picture } = this.stage;
    const [x, y] = this.stage.toPicture([left, top]);
    return [Math.min(picture.width, Math.max(0, x)), Math.min(picture.height, Math.max(0, y))];
  }

  #near(point, place, within = NEAR) {
    const [x, y] = this.stage.toScreen(point);
    return Math.hypot(x - place[0], y - place[1]) <= within;
  }

  #handleAt(place) {
    const { done, points, tool } = this.#draft;
    if (!done || (tool === "outline" && points.length > 40)) return null;
    const found = points.findIndex((one) => this.#near(one, place));
    return found < 0 ? null : found;
  }

  #drag(held, point) {
    const { points, tool } = this.#draft;
    if (tool === "size" && held > 1) points[held] = alongAxis([points[2], points[3]], point, this.stage.aspect);
    else if (tool === "size") {
      const [two, three] = [points[2], points[3]];
      points[held] = point;
      points.splice(2, 2, ...across(points.slice(0, 2), Math.hypot(two[0] - point[0], two[1] - point[1]) > 0 ? two : three, this.stage.aspect));
    } else points[held] = point;
    this.#draft.moved = true;
    this.#panel();
    this.stage.draw();
  }

  #add(point) {
    const draft = this.#draft;
    if (draft.tool === "size" && draft.points.length === 2) draft.points.push(...across(draft.points, point, this.stage.aspect));
    else draft.points.push(point);
    this.pending = null;
    if (draft.points.length === POINTS[draft.tool]) return this.#finish();
    this.#say();
    this.stage.draw();
    return true;
  }

  #finish() {
    const draft = this.#draft;
    if (draft.tool === "outline") draft.points = thinned(draft.points, 2 / this.stage.zoom, MOST);
    draft.done = true;
    this.pending = null;
    this.#frame = this.stage.picture.frame;
    this.#panel();
    this.stage.draw();
    const first = this.panel.querySelector(draft.kind === "SCALE" ? "[data-field=known]" : "[data-field=lesion]");
    first?.focus({ preventScroll: true });
    return true;
  }

  // Keys: a cross moved by the arrows, points set with Enter.

  key(event) {
    const draft = this.#draft;
    if (!draft) return false;
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Escape") {
      if (draft.points.length || draft.id) this.discard();
      else this.viewer.controls.choose("window");
      return true;
    }
    if (draft.done) return false;
    if (arrow) {
      const step = event.shiftKey ? 20 : 2;
      this.cursor ??= this.stage.size.map((side) => side / 2);
      this.cursor = this.cursor.map((at, side) => Math.min(this.stage.size[side], Math.max(0, at + arrow[side] * step)));
      this.pending = this.#inside(this.cursor);
      this.#say();
      this.stage.draw();
      return true;
    }
    if (event.key === "Enter" || event.key === " ") {
      if (!this.cursor) this.cursor = this.stage.size.map((side) => side / 2);
      else if (draft.tool === "outline" && draft.points.length > 2 && this.#near(draft.points[0], this.cursor)) this.#finish();
      else this.#add(this.#inside(this.cursor));
      this.stage.draw();
      return true;
    }
    if (event.key === "Backspace" && draft.points.length) {
      draft.points.pop();
      this.stage.draw();
      return true;
    }
    return false;
  }

  // What it comes to

  #spacing(points) {
    const chosen = this.saved.find((one) => one.id === this.field("scale").value);
    if (chosen) return knownLength(chosen.points, chosen.known);
    return calibrationOf(points, this.calibrations)?.spacing ?? null;
  }

  #words(draft, points) {
    if (draft.kind === "MARK" || points.length < 2) return "";
    if (draft.kind === "SCALE") return "";
    const spacing = this.#spacing(points);
    if (!spacing) return this.calibrations.length ? this.words.apart : this.words.none;
    if (draft.tool === "outline") return points.length > 2 ? `${polygon(points, spacing).toFixed(1)} mm²` : "";
    if (points.length === 4) {
      const [long, short] = axes(points, spacing);
      return `${long.toFixed(1)} × ${short.toFixed(1)} mm, ${((Math.PI / 4) * long * short).toFixed(1)} mm²`;
    }
    return `${distance(points, spacing).toFixed(1)} mm`;
  }

  #shown() {
    const draft = this.#draft;
    if (!draft || draft.done || !this.pending || !draft.points.length) return draft?.points ?? [];
    if (draft.tool === "size" && draft.points.length === 2) return [...draft.points, ...across(draft.points, this.pending, this.stage.aspect)];
    return [...draft.points, this.pending];
  }

  #say() {
    const draft = this.#draft;
    if (!draft) return;
    const words = this.#words(draft, this.#shown());
    this.panel.querySelector("[data-value]").textContent = words;
    this.#announce(draft.done ? "" : words);
    this.stage.draw();
  }

  #announce(text) {
    this.viewer.querySelector("[data-state]").textContent = text;
  }

  #panel() {
    const draft = this.#draft;
    const parts = { kind: draft.tool === "distance" && !draft.id, lesion: draft.kind !== "SCALE" && !draft.id, known: draft.kind === "SCALE" && !draft.id, scale: draft.kind !== "SCALE" && draft.kind !== "MARK" && !draft.id, reason: Boolean(draft.id) };
    for (const [name, shown] of Object.entries(parts)) this.field(name).closest("label").hidden = !shown;
    this.panel.querySelector("[data-do=save]").hidden = Boolean(draft.id) && !draft.moved;
    this.panel.querySelector("[data-title]").textContent = draft.id ? [draft.label, this.words.moving].filter(Boolean).join(": ") : "";
    this.panel.hidden = false;
    this.#say();
  }

  async #save() {
    const draft = this.#draft;
    const body = new URLSearchParams({ points: JSON.stringify(draft.points.map((one) => one.map((at) => Math.round(at * 100) / 100))) });
    if (draft.id) {
      body.set("reason", this.field("reason").value);
      body.set("version", draft.version);
    } else {
      body.set("kind", draft.tool === "distance" ? this.field("kind").value : draft.kind);
      body.set("frame", this.#frame);
      for (const name of ["lesion", "scale", "known"]) if (!this.field(name).closest("label").hidden) body.set(name, this.field(name).value);
    }
    const button = this.panel.querySelector("[data-do=save]");
    button.disabled = true;
    try {
      const address = draft.id ? this.words.one.replace("MEASURE", draft.id) : this.words.address;
      const answer = await fetch(address, { method: "POST", body, headers: { "X-CSRFToken": this.viewer.querySelector("[name=csrfmiddlewaretoken]").value, Accept: "application/json" } });
      const told = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
      if (!answer.ok || !told.measures) throw new Error(told.problem || this.words.lost);
      this.#draft = null;
      this.discard();
      this.#take(told);
      for (const list of document.querySelectorAll("[data-measures]")) list.innerHTML = told.list;
      this.viewer.dispatchEvent(new Event("viewer:kept"));
      this.#announce(told.said);
      this.stage.element.focus({ preventScroll: true });
    } catch (problem) {
      this.panel.querySelector("[data-problem]").textContent = problem instanceof TypeError ? this.words.lost : problem.message;
    } finally {
      button.disabled = false;
    }
  }

  // On the screen

  #place() {
    const { stage } = this;
    const to = (one) => stage.toScreen(one);
    const here = this.saved.filter((one) => one.frame === stage.picture.frame && one.id !== this.#draft?.id);
    const [width] = stage.size;
    const parts = here.map((one) => drawn(one, to, { width }));
    if (this.#draft) {
      const points = this.#shown();
      parts.push(drawn({ kind: this.#draft.kind, points, text: this.#words(this.#draft, points), lesion: this.#draft.label }, to, { chosen: true, handles: this.#draft.done, width }));
    }
    if (this.cursor && this.#draft && !this.#draft.done) parts.push(cross(this.cursor));
    this.marks.replaceChildren(...parts);
  }
}

for (const viewer of document.querySelectorAll("[data-viewer]")) if (viewer.querySelector("[data-save]")) viewer.measuring = new Measuring(viewer);
