// What was measured on a picture, drawn over it for whoever only looks: no tool, nothing to change.
import { drawn } from "./overlay.js";

class KeptMeasures {
  constructor(viewer) {
    this.viewer = viewer;
    this.marks = viewer.querySelector(".viewer-marks");
    this.measures = [];
    viewer.stage.addEventListener("drawn", () => this.#place());
    viewer.addEventListener("viewer:ready", (event) => this.#open(event.detail.told));
    if (viewer.told) this.#open(viewer.told);
  }

  async #open(told) {
    if (!told?.raster) return;
    try {
      const answer = await fetch(this.viewer.dataset.kept, { headers: { Accept: "application/json" } });
      this.measures = (await answer.json()).measures ?? [];
      this.viewer.stage.draw();
    } catch { /* the picture still stands */ }
  }

  #place() {
    const { stage } = this.viewer;
    const [width] = stage.size;
    const here = this.measures.filter((one) => one.frame === stage.picture.frame);
    this.marks.replaceChildren(...here.map((one) => drawn(one, (point) => stage.toScreen(point), { width })));
  }
}

for (const viewer of document.querySelectorAll("[data-viewer][data-kept]")) if (!viewer.querySelector("[data-save]")) viewer.keptMeasures = new KeptMeasures(viewer);
