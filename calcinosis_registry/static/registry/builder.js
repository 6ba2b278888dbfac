// The cohort builder works without this. With it the tree changes in place, the count follows the typing, and items
// are searched with their meaning.
import { offerMap } from "./places.js";

const form = document.querySelector("[data-builder]");
const told = document.querySelector("[data-told]");
let waiting = null;
let asked = 0;
let known = null;

// ---- the count

async function count() {
  const turn = ++asked;
  told.setAttribute("aria-busy", "true");
  let answer;
  try {
    answer = await fetch(form.dataset.countUrl, { method: "POST", body: new FormData(form) });
  } catch {
    return; // no network: the button still counts
  }
  if (turn !== asked) return;
  told.removeAttribute("aria-busy");
  if (!answer.ok) return tell({ count: "", sentence: "", problems: [(await answer.text()).slice(0, 200)].filter((text) => !text.includes("<")), errors: {}, unfinished: 0 });
  tell(await answer.json());
}

function tell({ count, sentence, problems, errors, unfinished }) {
  told.querySelector("[data-count]").textContent = count || "–";
  told.querySelector("[data-sentence]").textContent = sentence;
  const waits = told.querySelector("[data-unfinished]");
  waits.textContent = unfinished ? `${waits.dataset.words} ${unfinished}` : "";
  told.querySelector("[data-problems]").replaceChildren(
    ...problems.map((problem) => Object.assign(document.createElement("li"), { textContent: problem })),
  );
  for (const node of form.querySelectorAll("[data-node]")) {
    const problem = errors[node.dataset.node] || "";
    node.classList.toggle("is-wrong", Boolean(problem));
    node.querySelector(":scope > [data-error]").textContent = problem;
  }
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(count, 350);
}

// ---- the tree: the same page answers, its parts are swapped

async function press(action, extra = {}) {
  const body = new FormData(form);
  body.set("action", action);
  for (const [name, value] of Object.entries(extra)) body.set(name, value);
  const before = new Set([...form.querySelectorAll("[data-node]")].map((node) => node.dataset.node));
  let answer;
  try {
    answer = await fetch(window.location.pathname, { method: "POST", body });
  } catch {
    return false;
  }
  if (!answer.ok || answer.redirected) return false;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of ["[data-tree]", "[data-told]"]) {
    const target = part === "[data-told]" ? told : form.querySelector(part);
    target.replaceChildren(...fresh.querySelector(part).childNodes);
  }
  enhance();
  const added = [...form.querySelectorAll(".q-test")].find((node) => !before.has(node.dataset.node));
  const focus = added?.querySelector(".q-value input, .q-value summary, select") ?? form.querySelector("[data-tree] [data-search]");
  focus?.focus();
  return true;
}

form.addEventListener("input", (event) => {
  if (event.target.closest("[data-add]")) return;
  if (event.target.closest("[data-codes]")) sayChosen(event.target.closest("[data-codes]"));
  soon();
});
form.addEventListener("change", (event) => event.target.closest("[data-add]") || soon());
form.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-tree] button[name=action]");
  if (!button) return;
  event.preventDefault();
  if (/^(add|event):/.test(button.value) && !button.closest("[data-add]").querySelector("input").value) {
    open(button.closest("[data-add]"));
    return;
  }
  if (!(await press(button.value))) form.requestSubmit(button);
});

function sayChosen(codes) {
  const chosen = [...codes.querySelectorAll("input:checked")].map((box) => box.parentElement.textContent.trim());
  const summary = codes.querySelector("summary");
  summary.textContent = chosen.join(", ") || summary.dataset.empty;
}

// ---- the search of items: a combobox over the codebook, by words of record, label, meaning and codes

async function items() {
  known ??= fetch(form.dataset.itemsUrl).then((answer) => answer.json());
  return known;
}

function enhance() {
  offerMap(form);
  for (const place of form.querySelectorAll("[data-add]:not([data-ready])")) {
    place.dataset.ready = "";
    const input = place.querySelector("input");
    input.removeAttribute("list");
    input.dataset.search = "";
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-autocomplete", "list");
    const list = document.createElement("ul");
    list.id = `${input.id}-list`;
    list.className = "q-found";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", input.labels[0].textContent);
    input.setAttribute("aria-controls", list.id);
    place.append(list);
    input.addEventListener("focus", () => open(place));
    input.addEventListener("input", () => show(place));
    input.addEventListener("keydown", (event) => move(event, place));
    input.addEventListener("blur", () => setTimeout(() => shut(place), 150));
    list.addEventListener("pointerdown", (event) => event.preventDefault());
    list.addEventListener("click", (event) => choose(place, event.target.closest("[role=option]")));
  }
}

function open(place) {
  place.querySelector("input").focus();
  show(place);
}

function shut(place) {
  place.querySelector("[role=listbox]").hidden = true;
  place.querySelector("input").setAttribute("aria-expanded", "false");
  place.querySelector("input").removeAttribute("aria-activedescendant");
}

async function show(place) {
  const { items: all, within, none } = await items();
  const input = place.querySelector("input");
  const words = input.value.toLowerCase().split(/[\s:]+/).filter(Boolean);
  const kinds = place.dataset.kind ? within[place.dataset.kind] : null;
  const rank = (item) => (item.kind === place.dataset.kind ? 0 : 2) + (words.length && item.label.toLowerCase().startsWith(words[0]) ? 0 : 1);
  const found = all
    .filter((item) => !kinds || kinds.includes(item.kind))
    .filter((item) => words.every((word) => `${item.record} ${item.label} ${item.meaning} ${item.words} ${item.key}`.toLowerCase().includes(word)))
    .map((item, place) => [rank(item), place, item])
    .sort((one, other) => one[0] - other[0] || one[1] - other[1])
    .slice(0, 60)
    .map(([, , item]) => item);
  const list = place.querySelector("[role=listbox]");
  list.replaceChildren(...(found.length ? found.map((item, index) => option(list.id, item, index)) : [Object.assign(document.createElement("li"), { className: "soft", textContent: none })]));
  list.hidden = document.activeElement !== input;
  input.setAttribute("aria-expanded", String(!list.hidden));
  mark(input, list, list.querySelector("[role=option]"));
}

function option(id, item, index) {
  const line = document.createElement("li");
  line.id = `${id}-${index}`;
  line.dataset.key = item.key;
  line.setAttribute("role", "option");
  const record = Object.assign(document.createElement("small"), { textContent: item.record });
  const label = Object.assign(document.createElement("strong"), { textContent: item.unit ? `${item.label} (${item.unit})` : item.label });
  const meaning = Object.assign(document.createElement("span"), { textContent: item.meaning });
  line.append(record, label, meaning);
  return line;
}

function mark(input, list, line) {
  for (const one of list.children) one.setAttribute("aria-selected", String(one === line));
  if (!line) return input.removeAttribute("aria-activedescendant");
  input.setAttribute("aria-activedescendant", line.id);
  line.scrollIntoView({ block: "nearest" });
}

function move(event, place) {
  const input = place.querySelector("input");
  const list = place.querySelector("[role=listbox]");
  const lines = [...list.querySelectorAll("[role=option]")];
  const at = lines.findIndex((line) => line.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (list.hidden) return show(place);
    mark(input, list, lines[(at + (event.key === "ArrowDown" ? 1 : lines.length - 1)) % lines.length]);
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (!list.hidden) choose(place, lines[at]);
  } else if (event.key === "Escape") shut(place);
}

async function choose(place, line) {
  if (!line) return;
  const { verb, add } = place.dataset;
  place.querySelector("input").value = "";
  await press(`${verb}:${add}`, { [`pick-${verb}-${add}`]: line.dataset.key });
}

enhance();
