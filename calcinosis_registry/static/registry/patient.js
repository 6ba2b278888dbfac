// The patient page: the time slider over the map, the newest visit in sight, parts loaded when opened, printing.
//
// The matrix is the one source: a cell says status, size and ulcer of a lesion at a visit. The state after a visit is
// the last assessed cell up to its column, and the shapes of the statuses are those of the map's legend.

const UNSEEN = "NOT_ASSESSED";
const LEGEND_RADIUS = 5.8; // of the shapes in the legend, around (8, 8)
const SVG = "http://www.w3.org/2000/svg";

/** [{label, cells: [{status, word, size, ulcer} | null, one per visit]}] out of the matrix. */
function readMatrix(table) {
  return [...table.tBodies[0].rows].map((row) => ({
    label: row.dataset.lesion,
    cells: [...row.cells].slice(2, -1).map((cell) =>
      cell.dataset.status
        ? {
            status: cell.dataset.status,
            word: cell.querySelector(".word")?.textContent ?? "",
            size: cell.querySelector(".size")?.textContent ?? "",
            ulcer: "ulcer" in cell.dataset,
          }
        : null,
    ),
  }));
}

/** What was known of a lesion after a visit: null before it was first seen. */
function stateAt(cells, visit) {
  for (let at = visit; at >= 0; at -= 1) if (cells[at] && cells[at].status !== UNSEEN) return cells[at];
  return cells.slice(0, visit + 1).find(Boolean) ?? null;
}

/** Draw a mark in another status, at the place the server gave it. */
function redraw(mark, state, shapes) {
  mark.classList.toggle("is-absent", !state);
  if (!state) return;
  const { x, y, r } = mark.dataset;
  const scale = r / LEGEND_RADIUS;
  for (const old of mark.querySelectorAll(".mark-shape, .mark-inner, .mark-again, .mark-ulcer")) old.remove();
  const group = document.createElementNS(SVG, "g");
  group.setAttribute("class", "mark-again");
  group.setAttribute("transform", `translate(${x - 8 * scale} ${y - 8 * scale}) scale(${scale})`);
  for (const part of shapes.get(state.status)?.children ?? []) {
    if (part.matches("text")) continue;
    const copy = part.cloneNode(true);
    copy.setAttribute("stroke-width", part.matches(".mark-shape") ? Math.max(1.3, r * 0.19) / scale : 1 / scale);
    group.append(copy);
  }
  const label = mark.querySelector(".mark-label");
  mark.insertBefore(group, label);
  if (state.ulcer) {
    const dot = document.createElementNS(SVG, "circle");
    const place = { class: "mark-ulcer", cx: +x + r * 0.82, cy: y - r * 0.82, r: r * 0.38, "stroke-width": 1.4 };
    for (const [name, value] of Object.entries(place)) dot.setAttribute(name, value);
    mark.append(dot);
  }
  for (const name of [...mark.classList]) if (/^mark--(?!target)/.test(name)) mark.classList.remove(name);
  mark.classList.add(...(shapes.get(state.status)?.classList ?? []));
  mark.classList.remove("status-symbol");
  mark.classList.toggle("mark--ulcerated", state.ulcer);
}

/** Several lesions in one mark: how many of them were known by then, and whether one had an ulcer. */
function recount(mark, states) {
  const known = mark.dataset.members.split(" ").map((label) => states.get(label)).filter(Boolean);
  mark.classList.toggle("is-absent", !known.length);
  mark.querySelector(".mark-label").textContent = `${known.length}×`;
  mark.querySelector(".mark-ulcer")?.classList.toggle("is-absent", !known.some((state) => state.ulcer));
}

function tell(row, state) {
  row.hidden = !state;
  if (!state) return;
  row.querySelector("[data-word]").textContent = state.word;
  row.querySelector("[data-size]").textContent = state.size || "–";
  const ulcer = row.querySelector("[data-ulcer]");
  ulcer.textContent = state.ulcer ? ulcer.dataset.yes : "–";
}

function startSlider(slider, table) {
  const input = slider.querySelector("input");
  const output = slider.querySelector("output");
  const title = document.querySelector("[data-map-title]");
  const lesions = readMatrix(table);
  const heads = [...table.tHead.rows[0].cells].slice(2, -1);
  const shapes = new Map(
    [...document.querySelectorAll("[data-shapes] [data-code]")].map((one) => [one.dataset.code, one.querySelector("svg")]),
  );
  const marks = document.querySelectorAll(".patient-map .mark[data-lesion]");
  const rows = new Map([...document.querySelectorAll("[data-state] [data-row]")].map((row) => [row.dataset.row, row]));
  const last = heads.length - 1;
  const now = output.textContent;
  const show = () => {
    const visit = Number(input.value);
    const states = new Map(lesions.map((one) => [one.label, stateAt(one.cells, visit)]));
    for (const mark of marks) {
      if (mark.dataset.members) recount(mark, states);
      else if (states.has(mark.dataset.lesion)) redraw(mark, states.get(mark.dataset.lesion), shapes);
    }
    for (const [label, row] of rows) tell(row, states.get(label));
    for (const row of table.rows) {
      [...row.cells].slice(2, -1).forEach((cell, at) => cell.classList.toggle("is-at", at === visit && visit < last));
    }
    const date = heads[visit].dataset.date;
    output.textContent = visit === last ? now : date;
    title.textContent = visit === last ? title.dataset.now : date;
    input.setAttribute("aria-valuetext", `${date} (${visit + 1}/${heads.length})`);
  };
  input.addEventListener("input", show);
  input.addEventListener("change", () => {
    if (Number(input.value) < last) heads[input.value].scrollIntoView({ block: "nearest", inline: "center" });
  });
  slider.hidden = false;
  if (Number(input.value) !== last) show(); // the browser kept its place on going back
  else input.setAttribute("aria-valuetext", `${heads[last].dataset.date} (${last + 1}/${heads.length})`);
}

function startMatrix(wrap) {
  const mark = () => wrap.classList.toggle("is-scrolled", wrap.scrollLeft > 4);
  wrap.addEventListener("scroll", mark, { passive: true });
  wrap.scrollLeft = wrap.scrollWidth;
  mark();
}

/** A fold fetches what it holds when it is first opened; what stands in it is the link to the same page. */
async function load(fold) {
  if (!fold.open || "loaded" in fold.dataset) return;
  fold.dataset.loaded = "";
  const holder = fold.querySelector("[data-part]");
  const answer = await fetch(fold.dataset.src, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
  // A session that is over is redirected to the sign-in page: that is not the part.
  if (answer?.ok && !answer.redirected) holder.innerHTML = await answer.text();
  else holder.prepend(holder.dataset.failed);
}

for (const fold of document.querySelectorAll("details[data-src]")) {
  fold.addEventListener("toggle", () => load(fold));
  load(fold); // the browser kept it open on going back
}

const table = document.querySelector("[data-matrix]");
const slider = document.querySelector("[data-slider]");
if (table && slider) startSlider(slider, table);
document.querySelectorAll("[data-to-newest]").forEach(startMatrix);

for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
