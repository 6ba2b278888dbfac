// Uploads one file a request, each with its own bar. Without this script the form sends all of them at once.
// A file that did not arrive stays in its row and is sent again from there; signing in happens on the page.
import { session, signInAgain } from "./session.js";

const form = document.querySelector("#upload-form");
const input = document.querySelector("#upload-files");
const drop = document.querySelector("#drop");
const list = document.querySelector("#uploads");
const outcomes = document.querySelector("#outcomes");
const waiting = document.querySelector("#waiting");

const queue = [];
const studies = new Set();
let busy = false;
let joined = "";
let allWell = true;

function row(file) {
  const item = document.querySelector("#upload-row").content.cloneNode(true).firstElementChild;
  item.querySelector(".row-title").textContent = file.name;
  item.querySelector("progress").setAttribute("aria-label", file.name);
  list.append(item);
  list.hidden = false;
  return item;
}

function add(files) {
  for (const file of files) queue.push([file, row(file)]);
  if (!busy) next();
}

function next() {
  const first = queue.shift();
  busy = Boolean(first);
  if (first) return send(...first);
  input.value = "";
  // Everything became one study: what the files did not say is asked for there.
  if (allWell && studies.size === 1) location.assign([...studies][0]);
  [allWell, joined] = [true, ""];
  studies.clear();
}

function send(file, item) {
  const bar = item.querySelector("progress");
  const state = item.querySelector(".upload-state");
  const data = new FormData(form);
  data.delete("files");
  data.append("files", file, file.name);
  data.append("joined", joined);
  const request = new XMLHttpRequest();
  request.open("POST", form.action);
  request.setRequestHeader("X-Requested-With", "XMLHttpRequest");
  state.textContent = form.dataset.sending;
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) bar.value = (100 * event.loaded) / event.total;
  });
  request.upload.addEventListener("load", () => {
    bar.removeAttribute("value");
    state.textContent = form.dataset.reading;
  });
  request.addEventListener("load", () => {
    take(request, file, item);
    next();
  });
  request.addEventListener("error", () => {
    fail(file, item, form.dataset.lost);
    next();
  });
  request.send(data);
}

function fail(file, item, words) {
  allWell = false;
  item.querySelector("progress").hidden = true;
  const again = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm", textContent: form.dataset.again });
  again.addEventListener("click", () => retry(file, item));
  item.querySelector(".upload-state").replaceChildren(words, " ", again);
}

async function retry(file, item) {
  const { dataset } = document.querySelector("#keeping");
  const fresh = (token) => { for (const one of document.querySelectorAll("[name=csrfmiddlewaretoken]")) one.value = token; };
  try {
    const found = await session(dataset.session);
    if (found?.person === Number(dataset.person)) fresh(found.token);
    else if (!(await signInAgain(dataset, fresh))) return;
  } catch {
    return;
  }
  const bar = item.querySelector("progress");
  bar.hidden = false;
  bar.value = 0;
  queue.push([file, item]);
  if (!busy) next();
}

function take(request, file, item) {
  let answer = {};
  try {
    answer = JSON.parse(request.responseText);
  } catch {
    // A page, not an answer. The sign-in page answers a script with JSON of its own.
  }
  if (!("outcomes" in answer)) return fail(file, item, form.dataset.refused);
  item.remove();
  list.hidden = !list.children.length;
  outcomes.insertAdjacentHTML("beforeend", answer.outcomes);
  outcomes.hidden = false;
  waiting.innerHTML = answer.waiting;
  joined = answer.joined || joined;
  if (answer.study) studies.add(answer.study);
  else allWell = false;
}

if (form) {
  document.querySelector("#upload-button").hidden = true;
  document.querySelector("#drop-hint").hidden = false;
  input.addEventListener("change", () => add(input.files));
  for (const kind of ["dragenter", "dragover"]) {
    drop.addEventListener(kind, (event) => {
      event.preventDefault();
      drop.classList.add("is-over");
    });
  }
  drop.addEventListener("dragleave", () => drop.classList.remove("is-over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("is-over");
    add(event.dataTransfer.files);
  });
  window.addEventListener("beforeunload", (event) => {
    if (busy || list.children.length) event.preventDefault(); // under way, or waiting to be sent again
  });
}
