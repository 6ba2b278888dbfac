// The visit page by keyboard and touch: letters answer the focused lesion, the map adds one, the checklist stays true.
const form = document.querySelector("#visit-form");
const rows = () => [...form.querySelectorAll("[data-lesion]")];
const STATUS = { s: "STABLE", l: "LARGER", m: "SMALLER", r: "RESOLVED", e: "EXTRUDED_COMPLETE", x: "EXCISED", n: "NOT_ASSESSED", p: "SPLIT", g: "MERGED" };
const FEATURE = { u: "ulcerated", d: "drainage", i: "infection", f: "flare" };
const FIRST_PRESENT = { ulcerated: "Y", drainage: "CHALKY", infection: "SUSPECTED", flare: "Y" };
const GONE = new Set(["RESOLVED", "EXTRUDED_COMPLETE", "EXCISED", "NOT_ASSESSED"]);

const named = (row, name) => [...row.querySelectorAll(`[name$="-${name}"]`)];
const chosen = (row, name) => named(row, name).find((input) => input.checked)?.value ?? "";

function choose(row, name, value) {
  const input = named(row, name).find((one) => one.value === value);
  if (!input) return;
  input.checked = true;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

function number(row, name) {
  const value = parseFloat((named(row, name)[0]?.value ?? "").replace(",", "."));
  return Number.isFinite(value) ? value : null;
}

function showRow(row) {
  const status = chosen(row, "status_change");
  row.classList.toggle("is-open", row.matches("[data-lesion]") && !status);
  const none = named(row, "none_of_these")[0];
  const detail = row.querySelector(".detail");
  if (row.matches("[data-lesion]")) {
    detail.hidden = GONE.has(status);
    row.classList.toggle("is-merged", status === "MERGED");
    const more = row.querySelector(".lesion-more");
    if (more && ["MERGED", "SPLIT"].includes(status) && !row.querySelector(".undo")) more.open = true;
  }
  for (const feature of row.querySelectorAll("[data-feature]")) {
    const value = chosen(row, feature.dataset.feature);
    const present = !["", "N", "NONE"].includes(value); // Unknown too is shown, so that it can be changed
    const wrong = feature.querySelector(".errorlist") !== null;
    feature.hidden = !wrong && !present;
    const toggle = row.querySelector(`[data-toggle="${feature.dataset.feature}"]`);
    toggle.setAttribute("aria-pressed", String(present && value !== "U"));
  }
  // With something present the same chip says that nothing else is.
  const some = [...row.querySelectorAll("[data-toggle]")].some((one) => one.getAttribute("aria-pressed") === "true");
  const label = none.closest(".chip").querySelector(".chip-text");
  label.textContent = label.dataset.text = some ? label.dataset.others : label.dataset.none;
  const ulcer = row.querySelector("[data-ulcer]");
  if (ulcer) ulcer.hidden = chosen(row, "ulcerated") !== "Y";
  showChange(row);
}

const area = ([length, width]) => (Math.PI / 4) * length * width;
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name]);
const word = (row, status) => (row.querySelector(`[data-value="${status}"] .chip-text`)?.dataset.text ?? status).toLowerCase();

/** The ±25 % and ±2 mm rule of the register between two sizes; the server checks again. */
function compare(before, now) {
  const change = (100 * (now[0] * now[1] - before[0] * before[1])) / (before[0] * before[1]);
  const [longer, wider] = [now[0] - before[0], now[1] - before[1]];
  let status = "STABLE";
  if (change > 25 && Math.max(longer, wider) >= 2) status = "LARGER";
  else if (change < -25 && Math.min(longer, wider) <= -2) status = "SMALLER";
  return { status, pct: `${change > 0 ? "+" : ""}${Math.round(change)} %` };
}

// A size against the last, the first and the smallest by the same method. It proposes; the clinician decides.
function showChange(row) {
  const out = row.querySelector(".size-change");
  if (!out) return;
  const said = document.querySelector("#lesions").dataset;
  const now = [number(row, "length_mm"), number(row, "width_mm")];
  const known = JSON.parse(row.dataset.compare || "{}");
  const found = known[named(row, "size_method")[0]?.value];
  for (const chip of row.querySelectorAll(".is-suggested")) chip.classList.remove("is-suggested");
  out.hidden = now.includes(null) || now.includes(0) || !Object.keys(known).length;
  if (out.hidden) return;
  out.classList.toggle("is-warn", Boolean(found));
  if (!found) { out.textContent = said.saidOther; return; }
  const last = compare(found.last, now);
  const [, , day] = found.last;
  const told = [fill(said.saidLast, { pct: last.pct, day, before: area(found.last).toFixed(0), after: area(now).toFixed(0), status: word(row, last.status) })];
  let slow = false;
  for (const [key, text] of [["first", said.saidFirst], ["least", said.saidLeast]]) {
    if (found[key][2] === day || (key === "least" && found.least[2] === found.first[2])) continue;
    const since = compare(found[key], now);
    slow ||= since.status !== last.status;
    told.push(fill(text, { pct: since.pct, day: found[key][2] }));
  }
  const status = chosen(row, "status_change");
  const against = ["LARGER", "STABLE", "SMALLER"].includes(status) && status !== last.status;
  if (against) told.push(fill(said.saidAgainst, { status: word(row, status) }));
  if (!status) row.querySelector(`[data-value="${last.status}"]`)?.classList.add("is-suggested");
  out.classList.toggle("is-warn", against || slow || (!status && last.status !== "STABLE"));
  out.textContent = told.join(" ");
}

function tick(key, done, text) {
  const item = document.querySelector(`[data-todo="${key}"]`);
  if (!item) return;
  item.classList.toggle("is-done", done);
  if (text) item.textContent = text;
}

const answered = (name) => [...form.querySelectorAll(`[name="${name}"]`)].some((one) => (one.type === "radio" ? one.checked : one.value));

function showTodo() {
  const all = rows();
  const done = all.filter((row) => chosen(row, "status_change")).length;
  const item = document.querySelector('[data-todo="lesions"]');
  if (item) tick("lesions", done === all.length, item.textContent.replace(/\d+(\D+)\d+/, `${done}$1${all.length}`));
  tick("visit", answered("visit_date") && answered("visit_type"));
  tick("present", answered("calcinosis_present"));
  tick("ratings", ["pain_nrs", "patient_global", "physician_global"].every(answered));
  tick("treatments", answered("treatments_changed"));
  tick("complications", answered("complications"));
}

function go(row) {
  if (!row) return;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
}

function nextOpen(row) {
  const all = rows();
  const later = all.slice(all.indexOf(row) + 1);
  return later.find((one) => !chosen(one, "status_change")) ?? later[0];
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target;
  const typing = target.matches("textarea, select, input:not([type=radio]):not([type=checkbox])");
  const row = target.closest("[data-lesion]");
  if (!row || typing) {
    if (!typing && event.key === "j" && rows().length) go(rows()[0]);
    return;
  }
  const all = rows();
  const here = all.indexOf(row);
  if (event.key === "j") go(all[here + 1]);
  else if (event.key === "k") go(all[here - 1]);
  else if (STATUS[event.key]) {
    choose(row, "status_change", STATUS[event.key]);
    const removal = STATUS[event.key] === "EXCISED" ? named(row, "removal")[0] : null; // by which procedure?
    const into = STATUS[event.key] === "MERGED" ? named(row, "merged_into")[0] : null;
    if (into && !into.value) into.focus();
    else if (removal && !removal.value) removal.focus();
    else if (GONE.has(STATUS[event.key])) go(nextOpen(row));
  } else if (FEATURE[event.key]) choose(row, FEATURE[event.key], FIRST_PRESENT[FEATURE[event.key]]);
  else if (event.key === "0") {
    choose(row, "none_of_these", "on");
    const size = named(row, "length_mm")[0];
    if (row.dataset.length && size && !size.value) size.focus();
    else go(nextOpen(row));
  } else return;
  event.preventDefault();
}

// The highest number given, not how many there are: one that was dropped leaves a gap.
let count = Math.max(0, ...[...form.querySelectorAll("[data-new]")].map((one) => Number(one.dataset.new.replace("new-", ""))));

/** What a lesion that stems from another starts with: its place, and how it stems. `from` carries them in its dataset. */
function stemming(from, lineage) {
  const { site, side, aspect, kind, key, title } = from.dataset;
  return { site, side, title, values: { aspect, lesion_kind: kind, lineage, parent: key } };
}

function addLesion({ site = "", side = "", title = "", at = null, values = {} } = {}) {
  const template = document.querySelector("#new-lesion");
  count += 1;
  const holder = document.createElement("div");
  holder.append(template.content.cloneNode(true));
  for (const element of holder.querySelectorAll("*")) {
    for (const name of ["id", "name", "for", "data-new", "aria-describedby"]) {
      const value = element.getAttribute(name);
      if (value?.includes("new-0000")) element.setAttribute(name, value.replaceAll("new-0000", `new-${count}`));
    }
  }
  const box = holder.firstElementChild;
  document.querySelector("#new-lesions").append(box);
  const siteInput = named(box, "site")[0];
  if (title) box.querySelector("h3").textContent = title;
  if (site) siteInput.value = site;
  if (side) choose(box, "laterality", side);
  if (at) { named(box, "map_x")[0].value = at.x; named(box, "map_y")[0].value = at.y; }
  for (const [name, value] of Object.entries(values)) {
    const input = named(box, name)[0];
    if (!value || !input) continue;
    if (input.type === "radio") choose(box, name, value);
    else input.value = value;
  }
  showRow(box);
  siteInput.focus();
  form.dispatchEvent(new Event("change", { bubbles: true }));
  return box;
}

/** Split: the part that came off is offered as a new lesion; taken away again, untouched, with another answer. */
function offerPart(row) {
  const parts = [...form.querySelectorAll(`[data-part-of="${row.id}"]`)];
  if (chosen(row, "status_change") === "SPLIT") {
    if (parts.length || row.querySelector('[value^="undo-"]')) return;
    const box = addLesion(stemming(row, "SPLIT"));
    box.dataset.partOf = row.id;
    box.scrollIntoView({ block: "center" });
  } else {
    for (const box of parts) if (!named(box, "length_mm")[0].value && !box.querySelector('[aria-pressed="true"]')) box.remove();
  }
}

form.addEventListener("change", (event) => {
  const split = event.target.name?.endsWith("-status_change") ? event.target.closest("[data-lesion]") : null;
  if (split) offerPart(split);
  const row = event.target.closest?.("[data-record]");
  if (row?.querySelector("[data-toggle]")) showRow(row);
  // An infection asks for fever and antibiotic, which stand under "More".
  if (event.target.name?.endsWith("-infection") && !["", "NONE", "U"].includes(event.target.value)) {
    const more = row?.querySelector(".lesion-more");
    if (more) more.open = true;
  }
  showTodo();
});
form.addEventListener("input", (event) => { const row = event.target.closest("[data-lesion]"); if (row) showChange(row); });
form.addEventListener("click", (event) => {
  const toggle = event.target.closest("[data-toggle]");
  if (!toggle) return;
  const row = toggle.closest("[data-record]");
  const name = toggle.dataset.toggle;
  choose(row, name, toggle.getAttribute("aria-pressed") === "true" ? { ulcerated: "N", drainage: "NONE", infection: "NONE", flare: "N" }[name] : FIRST_PRESENT[name]);
});
form.addEventListener("click", (event) => { if (event.target.closest("[data-drop]")) event.target.closest("[data-new]").remove(); });
// A click anywhere in a row that is no control makes it the row the letters answer.
form.addEventListener("click", (event) => {
  const row = event.target.closest("[data-lesion]");
  if (row && !event.target.closest("input, select, button, label, a, summary")) row.focus({ preventScroll: true });
});
// The next visit is proposed from the day of this one; a tap takes it over.
const nextDay = form.querySelector('[name="next_visit_due"]');
const visitDay = form.querySelector('[name="visit_date"]');
function monthsLater(day, months) {
  const [year, month, date] = day.split("-").map(Number);
  const last = new Date(Date.UTC(year, month + months, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + months, Math.min(date, last))).toISOString().slice(0, 10);
}
function showNext() {
  for (const chip of form.querySelectorAll("[data-months]")) {
    if (/^\d{4}-\d{2}-\d{2}$/.test(visitDay.value)) chip.dataset.day = monthsLater(visitDay.value, Number(chip.dataset.months));
    chip.querySelector("[data-shown]").textContent = chip.dataset.day;
    chip.setAttribute("aria-pressed", String(nextDay.value === chip.dataset.day));
  }
}
form.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-months]");
  if (!chip) return;
  nextDay.value = nextDay.value === chip.dataset.day ? "" : chip.dataset.day;
  nextDay.dispatchEvent(new Event("change", { bubbles: true }));
});
form.addEventListener("change", showNext);
showNext();
document.addEventListener("keydown", onKey);
document.querySelector("#not-imaged")?.addEventListener("click", () => {
  for (const row of form.querySelectorAll("[data-imaging-only]")) if (!chosen(row, "status_change")) choose(row, "status_change", "NOT_ASSESSED");
});
document.querySelector("#add-lesion")?.addEventListener("click", () => addLesion());
form.addEventListener("click", (event) => {
  const back = event.target.closest("[data-came-back]");
  if (back) addLesion(stemming(back, "RECURRENCE"));
});
document.addEventListener("region-chosen", (event) => {
  const { site, side, aspect, at } = event.detail;
  addLesion({ site, side, at, values: { aspect } });
});

for (const row of form.querySelectorAll("[data-lesion], [data-new]")) showRow(row);
showTodo();
