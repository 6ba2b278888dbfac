// Scoring on the drawn hands and in the table: one set of fields, shown in both. The totals while scoring are a courtesy;
// the server computes everything again on saving.
const form = document.querySelector("#score-form");
const drawing = form.querySelector("[data-hand-drawing]");
const editable = !form.querySelector("fieldset.plain")?.disabled;
const rows = [...form.querySelectorAll("[data-site]")].map((cell) => ({
  name: cell.dataset.site,
  hand: cell.dataset.hand,
  weight: Number(cell.dataset.weight),
  coverage: form.elements[`${cell.dataset.site}-coverage`],
  density: form.elements[`${cell.dataset.site}-density`],
  unscorable: form.elements[`${cell.dataset.site}-unscorable`],
  spot: drawing?.querySelector(`[data-site-of="${cell.dataset.site}"]`),
  value: drawing?.querySelector(`[data-value-of="${cell.dataset.site}"]`),
}));
const STEPS = [1, 26, 76, 151, 226]; // of 300 points, for the shade alone
let chosen = null;

function show(id, value) {
  const place = document.querySelector(`#${id}`);
  if (place) place.value = value;
}

function stateOf(row) {
  const [coverage, density] = [row.coverage.value.trim(), row.density.value];
  if (row.unscorable.checked) return { kind: "off" };
  if (coverage === "" && density === "") return { kind: "empty" };
  if (coverage === "" || density === "") return { kind: "half", coverage, density };
  return { kind: "rated", coverage: Number(coverage) || 0, density: Number(density) };
}

function inWords(row) {
  const state = stateOf(row);
  const words = form.dataset;
  if (state.kind === "off") return words.off;
  if (state.kind === "empty") return words.empty;
  if (state.kind === "half") return state.coverage === "" ? words.wantsCoverage : `${state.coverage} %, ${words.wantsDensity}`;
  return state.density === 0 ? words.zero : `${state.coverage} %, ${words.density} ${state.density}`;
}

function paint(row) {
  if (!row.spot) return;
  const state = stateOf(row);
  const points = state.kind === "rated" ? state.coverage * state.density : 0;
  row.spot.setAttribute("class", `hand-site is-${state.kind}`);
  const shade = STEPS.filter((step) => points >= step).length;
  if (shade) row.spot.classList.add(`heat-${shade}`);
  row.value.textContent = { off: "×", empty: "", half: "?" }[state.kind] ?? (points ? `${state.coverage}·${state.density}` : "0");
  row.value.classList.toggle("is-on-dark", shade > 3);
  row.spot.setAttribute("aria-label", `${row.spot.dataset.name}: ${inWords(row)}`);
}

function refresh() {
  const sums = { R: 0, L: 0 };
  const rated = { R: 0, L: 0 };
  let [answered, off] = [0, 0];
  for (const row of rows) {
    const state = stateOf(row);
    row.coverage.disabled = row.density.disabled = state.kind === "off";
    if (state.kind === "off") off += 1;
    if (state.kind === "off" || state.kind === "rated") {
      answered += 1;
      rated[row.hand] += 1;
    }
    if (state.kind === "rated") sums[row.hand] += row.weight * state.coverage * state.density;
    paint(row);
  }
  for (const hand of ["R", "L"]) {
    show(`total-${hand}`, sums[hand]);
    show(`rated-${hand}`, rated[hand]);
  }
  show("total", sums.R + sums.L);
  show("rated", answered);
  show("scored", answered - off);
  showChosen();
}

function showChosen() {
  if (!drawing) return;
  const state = chosen ? stateOf(chosen) : {};
  drawing.querySelector("[data-site-name]").textContent = chosen ? chosen.spot.dataset.name : form.dataset.none;
  drawing.querySelector("[data-site-state]").textContent = chosen ? inWords(chosen) : "";
  for (const chip of drawing.querySelectorAll(".chip")) {
    chip.disabled = !chosen || !editable;
    const on = { coverage: String(state.coverage), density: String(state.density) };
    const pressed = chip.dataset.coverage ? chip.dataset.coverage === on.coverage
      : chip.dataset.density ? chip.dataset.density === on.density
        : (chip.dataset.act === "off" && state.kind === "off") || (chip.dataset.act === "zero" && state.density === 0);
    chip.setAttribute("aria-pressed", pressed);
  }
}

// The draft and the guard listen to the form's own events.
function tell(row) {
  row.coverage.dispatchEvent(new Event("input", { bubbles: true }));
}

function rate(row, coverage, density, off = false) {
  row.unscorable.checked = off;
  row.coverage.value = coverage;
  row.density.value = density;
  tell(row);
}

function choose(row) {
  if (!row) return;
  if (chosen) chosen.spot.setAttribute("tabindex", "-1");
  chosen = row;
  row.spot.setAttribute("tabindex", "0");
  row.spot.focus();
  showChosen();
}

function next() {
  const after = rows.slice(rows.indexOf(chosen) + 1).concat(rows);
  const open = (row) => ["empty", "half"].includes(stateOf(row).kind);
  choose(after.find((row) => row.hand === chosen.hand && open(row)) ?? after.find(open) ?? chosen);
}

function beside(row, dx, dy) {
  const [x, y] = [Number(row.spot.dataset.x), Number(row.spot.dataset.y)];
  let [best, least] = [null, Infinity];
  for (const other of rows) {
    const along = (Number(other.spot.dataset.x) - x) * dx + (Number(other.spot.dataset.y) - y) * dy;
    const aside = Math.abs((Number(other.spot.dataset.x) - x) * dy) + Math.abs((Number(other.spot.dataset.y) - y) * dx);
    const far = along + 2 * aside;
    if (other !== row && along > 4 && far < least) [best, least] = [other, far];
  }
  return best;
}

function rest(hand) {
  const empty = rows.filter((row) => row.hand === hand && stateOf(row).kind === "empty");
  for (const row of empty) row.coverage.value = row.density.value = "0";
  if (empty.length) tell(empty[0]);
  return empty.length;
}

function cover(row, coverage) {
  row.unscorable.checked = false;
  row.coverage.value = coverage;
  if (row.density.value === "0") row.density.value = "";
  tell(row);
}

function dense(row, density) {
  if (stateOf(row).kind === "off" || row.coverage.value.trim() === "0") row.coverage.value = "";
  row.unscorable.checked = false;
  row.density.value = density;
  tell(row);
}

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !chosen) return;
  const arrow = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
  const pressed = event.key.toLowerCase();
  if (arrow) choose(beside(chosen, ...arrow));
  else if (event.key === "Enter") chosen.coverage.focus();
  else if (event.key === "Home") choose(rows.find((row) => row.hand === chosen.hand));
  else if (!editable) return;
  else if (pressed === "0") { rate(chosen, "0", "0"); next(); }
  else if (pressed === "x") { rate(chosen, "", "", true); next(); }
  else if (pressed === "r") { rest(chosen.hand); next(); }
  else if (event.key === "Backspace" || event.key === "Delete") rate(chosen, "", "");
  else if (pressed === "f") cover(chosen, "100");
  else if (/^[1-9]$/.test(pressed)) {
    const wantsDensity = stateOf(chosen).kind === "half" && chosen.coverage.value.trim() !== "";
    const levels = [...chosen.density.options].map((option) => option.value);
    if (wantsDensity && levels.includes(pressed)) {
      dense(chosen, pressed);
      next();
    } else {
      chosen.density.value = "";
      cover(chosen, `${pressed}0`);
    }
  } else return;
  event.preventDefault();
}

form.addEventListener("input", (event) => {
  const row = rows.find((one) => one.coverage === event.target || one.density === event.target);
  if (row && event.target === row.coverage && row.coverage.value.trim() === "0") row.density.value = "0";
  if (row && event.target === row.density && row.density.value === "0") row.coverage.value = "0";
  refresh();
});

form.addEventListener("change", refresh);

for (const button of form.querySelectorAll("[name=rest]")) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    rest(button.value);
  });
}

if (drawing) {
  drawing.hidden = false;
  for (const row of rows) row.spot.addEventListener("click", () => choose(row));
  drawing.querySelector("svg").addEventListener("keydown", key);
  drawing.querySelector("svg").addEventListener("focusin", (event) => {
    const row = rows.find((one) => one.spot === event.target);
    if (row && row !== chosen) choose(row);
  });
  drawing.querySelector(".hand-panel").addEventListener("click", (event) => {
    const chip = event.target.closest(".chip");
    if (!chip || !chosen) return;
    if (chip.dataset.coverage) cover(chosen, chip.dataset.coverage);
    else if (chip.dataset.density) { dense(chosen, chip.dataset.density); if (stateOf(chosen).kind === "rated") next(); }
    else if (chip.dataset.act === "zero") { rate(chosen, "0", "0"); next(); }
    else if (chip.dataset.act === "off") { rate(chosen, "", "", true); next(); }
    else rate(chosen, "", "");
  });
  const first = rows.find((row) => stateOf(row).kind === "empty") ?? rows[0];
  first?.spot.setAttribute("tabindex", "0");
}

refresh();
