// Every [data-viewer] of the page becomes a viewer; without script the preview stands there.
// The element gets .stage (stage.js) and tells "viewer:ready" when the picture is there in full.
import { Stage } from "./stage.js";
import { reach } from "./window.js";

const ROUND = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200];
const BAR = 120; // CSS pixels the scale bar has at most

function number(value) {
  return Number(value.toPrecision(value < 1000 ? 3 : 4)).toLocaleString("en", { useGrouping: false });
}

class Controls {
  constructor(viewer) {
    this.viewer = viewer;
    this.words = viewer.dataset;
    this.find = (selector) => viewer.querySelector(selector);
    this.stage = new Stage(this.find("[data-stage]"));
    viewer.stage = this.stage;
    this.#listen();
  }

  #listen() {
    const { stage, viewer } = this;
    viewer.querySelector(".viewer-bar").addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.tool) this.choose(button.dataset.tool);
      if (button?.dataset.act) this.act(button.dataset.act);
    });
    stage.addEventListener("looked", () => this.#window());
    stage.addEventListener("framed", () => this.#frame());
    stage.addEventListener("moved", () => this.showScale());
    this.find("[data-preset]").addEventListener("change", (event) => this.#preset(Number(event.target.value)));
    this.find(".viewer-frames input").addEventListener("input", (event) => stage.goTo(Number(event.target.value) - 1));
    stage.element.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "f") this.act("full");
      else if (event.key === "w") this.choose("window");
    });
    // A page with a form keeps what is typed on it; looking is no typing.
    for (const kind of ["input", "change"]) viewer.addEventListener(kind, (event) => event.stopPropagation());
    document.addEventListener("fullscreenchange", () => viewer.classList.toggle("is-full", document.fullscreenElement === viewer));
  }

  choose(tool) {
    this.stage.tool = tool;
    for (const button of this.viewer.querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    this.stage.element.dataset.using = tool;
    this.viewer.dispatchEvent(new CustomEvent("viewer:tool", { detail: tool }));
  }

  act(name) {
    const { stage } = this;
    const acts = {
      in: () => stage.zoomBy(1.25), out: () => stage.zoomBy(0.8), fit: () => stage.fit(),
      one: () => stage.zoomTo(1 / (globalThis.devicePixelRatio || 1)), invert: () => stage.invert(), turn: () => stage.turn(1),
      reset: () => { stage.reset(); this.#window(); },
      full: () => (document.fullscreenElement ? document.exitFullscreen() : this.viewer.requestFullscreen?.()),
    };
    acts[name]();
  }

  async open() {
    const { viewer, stage } = this;
    const image = this.find("img");
    await image.decode().catch(() => {});
    for (const part of [".viewer-bar", "canvas", ".viewer-marks", ".viewer-foot", ".viewer-keys"]) this.find(part).toggleAttribute("hidden", false);
    viewer.classList.add("is-live");
    const element = stage.element;
    Object.assign(element, { tabIndex: 0 });
    for (const [name, value] of Object.entries({ role: "application", "aria-label": image.alt, "aria-describedby": this.find(".viewer-keys dl").id })) element.setAttribute(name, value);
    image.setAttribute("aria-hidden", "true");
    this.#say(this.words.wordsMaking);
    const { width, height, file } = viewer.dataset;
    const told = await stage.show({ address: viewer.dataset.viewer, preview: image, width: Number(width) || image.naturalWidth, height: Number(height) || image.naturalHeight, token: this.find("[name=csrfmiddlewaretoken]").value });
    this.#say(told?.raster ? "" : told?.refused ?? this.words.wordsFailed);
    this.calibrations = told?.calibrations ?? [];
    this.find("[data-calibration]").textContent = [...new Set(this.calibrations.map((one) => one.words))].join("; ") || this.words.wordsUncalibrated;
    if (told?.raster) this.#ready();
    viewer.told = told;
    viewer.dispatchEvent(new CustomEvent("viewer:ready", { bubbles: true, detail: { file, told } }));
  }

  #ready() {
    const { picture } = this.stage;
    this.#presets();
    this.#window();
    this.showScale();
    this.find(".viewer-frames").hidden = picture.frames < 2;
    this.find(".viewer-frames input").max = picture.frames;
    if (picture.frames > 1) this.#frame();
    this.viewer.dataset.ready = "true";
  }

  #say(text) {
    this.find("[data-state]").textContent = text;
  }

  // Window

  #presets() {
    const { look } = this.stage.picture;
    const [low, high] = look.range ?? [0, 255];
    this.presets = (look.windows ?? [["", 127.5, 255]]).map(([name, centre, width], place) => ({
      words: name === "percentiles" ? this.words.wordsPercentiles : name || this.words.wordsHeader, centre, width, curve: place === 0 && Boolean(look.curve),
    }));
    this.presets.push({ words: this.words.wordsRange, centre: (low + high) / 2, width: Math.max(high - low, reach(look) * 1e-3), curve: false });
    const select = this.find("[data-preset]");
    select.replaceChildren(...this.presets.map((one, place) => new Option(one.words, place)), new Option(this.words.wordsOwn, -1));
  }

  #preset(place) {
    const chosen = this.presets[place];
    if (chosen) this.stage.setWindow({ centre: chosen.centre, width: chosen.width, curve: chosen.curve });
  }

  #window() {
    const { centre, width } = this.stage.window;
    this.find("[data-window]").textContent = `W ${number(width)}  L ${number(centre)}`;
    const place = this.presets?.findIndex((one) => one.centre === centre && one.width === width) ?? -1;
    this.find("[data-preset]").value = String(place);
    this.find("[data-act=invert]").setAttribute("aria-pressed", String(this.stage.window.inverted));
  }

  #frame() {
    const { frame, frames } = this.stage.picture;
    this.find(".viewer-frames input").value = frame + 1;
    this.find("[data-frame-words]").textContent = `${this.words.wordsFrame} ${frame + 1} / ${frames}`;
  }

  // A bar of a round number of millimetres, where the file says how large a pixel is.
  showScale() {
    const bar = this.find(".viewer-scale");
    const spacing = (this.calibrations ?? []).map((one) => Math.min(...one.spacing));
    const alike = spacing.length && spacing.every((one) => Math.abs(one - spacing[0]) < 1e-9);
    const known = this.viewer.scaleMm ?? (alike ? spacing[0] : null);
    bar.hidden = !known;
    if (!known) return;
    const perDot = known / this.stage.zoom;
    const length = ROUND.findLast((one) => one / perDot <= BAR) ?? ROUND[0];
    bar.style.width = `${length / perDot}px`;
    bar.textContent = `${length} mm`;
  }
}

for (const viewer of document.querySelectorAll("[data-viewer]")) {
  viewer.controls = new Controls(viewer);
  viewer.controls.open();
}
