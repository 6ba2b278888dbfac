// The body map: hover, keyboard, choice of a region, tabs between views.
//
//   <div class="map-views" data-map-views>
//     <div role="tablist"><button role="tab" aria-controls="map-panel-front" data-map-tab="front">…</button>…</div>
//     <div role="tabpanel" id="map-panel-front" data-map-panel="front"> svg.body-map </div>…
//     <p class="map-readout" data-map-readout aria-hidden="true"></p>
//   </div>
//
// A chosen region sends a bubbling "region-chosen" with {site, side, aspect, view, label, at}: `aspect` says on which view
// the lesion lies where the site does not, `at` is the spot as shares of width and height. "map-view": a tab was shown.
// One region of a view is in the tab order; arrow keys walk to the nearest region in that direction.

const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function centre(region) {
  const box = region.getBBox();
  return [box.x + box.width / 2, box.y + box.height / 2];
}

/** The nearest region in a direction: distance along it counts once, aside of it twice. */
export function nearest(from, regions, [dx, dy]) {
  const [x, y] = centre(from);
  let best = null;
  let least = Infinity;
  for (const region of regions) {
    if (region === from) continue;
    const [rx, ry] = centre(region);
    const ahead = (rx - x) * dx + (ry - y) * dy;
    const aside = Math.abs((rx - x) * dy) + Math.abs((ry - y) * dx);
    if (ahead < 1) continue;
    const cost = ahead + 2 * aside;
    if (cost < least) [best, least] = [region, cost];
  }
  return best;
}

/** The spot of a press on its drawing, as shares of width and height with four digits; by keyboard the region's middle. */
function spotOf(region, event) {
  const svg = region.ownerSVGElement;
  let [x, y] = centre(region);
  if (event) {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    [x, y] = [point.x, point.y];
  }
  const { width, height } = svg.viewBox.baseVal;
  return { x: (x / width).toFixed(4), y: (y / height).toFixed(4) };
}

function chooseRegion(region, event = null) {
  const scope = region.closest("[data-map-views]") ?? region.ownerSVGElement;
  scope.querySelectorAll(".map-region.is-chosen").forEach((one) => one.classList.remove("is-chosen"));
  region.classList.add("is-chosen");
  const { site, side, view, aspect = "" } = region.dataset;
  const at = "loose" in region.dataset ? null : spotOf(region, event);
  const detail = { site, side, view, aspect, at, label: region.getAttribute("aria-label") };
  region.dispatchEvent(new CustomEvent("region-chosen", { bubbles: true, detail }));
}

function readOut(region) {
  const line = region.closest("[data-map-views]")?.querySelector("[data-map-readout]");
  if (line) line.textContent = region.getAttribute("aria-label");
}

/** The lesion under the pointer, or that has the focus, in words. */
function tellMarks(svg) {
  const tell = (event) => {
    const mark = event.target.closest(".mark");
    const line = svg.closest("[data-map-views]")?.querySelector("[data-map-readout]");
    const words = mark?.querySelector("title")?.textContent;
    if (line && words) line.textContent = words.replaceAll("\n", "; ");
  };
  svg.addEventListener("pointerover", tell);
  svg.addEventListener("focusin", tell);
}

function walkable(svg) {
  const regions = [...svg.querySelectorAll('.map-region[role="button"]')];
  if (!regions.length) return;
  const enter = (region) => {
    for (const one of regions) one.setAttribute("tabindex", one === region ? "0" : "-1");
  };
  enter(regions[0]);
  svg.addEventListener("keydown", (event) => {
    const region = event.target.closest(".map-region");
    if (!region || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      chooseRegion(region);
    } else if (event.key in DIRECTIONS) {
      event.preventDefault();
      nearest(region, regions, DIRECTIONS[event.key])?.focus();
    }
  });
  svg.addEventListener("focusin", (event) => {
    if (!event.target.matches(".map-region")) return;
    enter(event.target);
    readOut(event.target);
  });
  svg.addEventListener("pointerover", (event) => {
    const region = event.target.closest(".map-region");
    if (region) readOut(region);
  });
  svg.addEventListener("click", (event) => {
    const region = event.target.closest('.map-region[role="button"]');
    if (region) chooseRegion(region, event);
    const link = event.target.closest("[data-view-link]");
    if (link) showView(svg.closest("[data-map-views]"), link.dataset.viewLink);
  });
}

/** Show one view of a map with tabs. */
export function showView(views, key) {
  if (!views) return;
  for (const tab of views.querySelectorAll("[data-map-tab]")) {
    const on = tab.dataset.mapTab === key;
    tab.setAttribute("aria-selected", String(on));
    tab.setAttribute("tabindex", on ? "0" : "-1");
  }
  for (const panel of views.querySelectorAll("[data-map-panel]")) panel.hidden = panel.dataset.mapPanel !== key;
  views.dispatchEvent(new CustomEvent("map-view", { bubbles: true, detail: { view: key } }));
}

function tabs(views) {
  const all = [...views.querySelectorAll("[data-map-tab]")];
  if (!all.length) return;
  views.addEventListener("click", (event) => {
    const tab = event.target.closest("[data-map-tab]");
    if (tab) showView(views, tab.dataset.mapTab);
  });
  views.addEventListener("keydown", (event) => {
    const here = all.indexOf(event.target);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (here < 0 || !step) return;
    event.preventDefault();
    const next = all[(here + step + all.length) % all.length];
    showView(views, next.dataset.mapTab);
    next.focus();
  });
  showView(views, (all.find((tab) => tab.getAttribute("aria-selected") === "true") ?? all[0]).dataset.mapTab);
}

/** Bring every map under ``root`` to life; call again for markup that arrives later. */
export function start(root = document) {
  for (const svg of root.querySelectorAll("svg.body-map:not([data-ready])")) {
    svg.dataset.ready = "";
    tellMarks(svg);
    walkable(svg);
  }
  for (const views of root.querySelectorAll("[data-map-views]:not([data-ready])")) {
    views.dataset.ready = "";
    tabs(views);
  }
}

start();
