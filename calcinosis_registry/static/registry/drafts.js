// Nothing typed is lost: a form is kept on the server while it is typed, and is sent only where it will arrive.
import { session, signInAgain } from "./session.js";

const form = document.querySelector("form[data-keep-form]");
const words = document.querySelector("#keeping")?.dataset;
const state = document.querySelector("[data-draft-state]");

const IDLE = 1000; // ms without a key before a draft goes
const LONGEST = 3000; // ms a change waits at most
const RETRY = 4000;
const KEEPALIVE = 60_000; // bytes the browser sends for a page that is closing

let [changes, kept, since, timer, busy, leaving] = [0, 0, 0, 0, null, false];

function say(text, { problem = false, act = null } = {}) {
  if (!state) return;
  state.replaceChildren(text);
  state.classList.toggle("is-problem", problem);
  state.setAttribute("aria-live", problem ? "assertive" : "off"); // a clock that ticks is not read out
  if (act) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "btn btn-sm", textContent: act.label });
    button.addEventListener("click", act.go);
    state.append(" ", button);
  }
}

function content() {
  const body = new URLSearchParams();
  // Of a file only its name: the file itself stays with the browser.
  for (const [name, value] of new FormData(form)) body.append(name, value instanceof File ? value.name : value);
  body.append("typed_at", String(Date.now()));
  return body;
}

function changed(event) {
  if (event.target !== form && !event.target.name) return;
  note();
}

function note() {
  changes += 1;
  since ||= Date.now();
  plan(Math.max(0, Math.min(IDLE, since + LONGEST - Date.now())));
}

function plan(delay) {
  clearTimeout(timer);
  timer = setTimeout(send, delay);
}

async function send() {
  if (busy || leaving || kept === changes) return;
  const now = changes;
  since = 0;
  busy = new AbortController();
  try {
    settle(await post(busy.signal), now);
  } catch (problem) {
    if (problem.name === "AbortError") return;
    since ||= Date.now();
    say(words.offline, { problem: true, act: { label: words.again, go: send } });
    plan(RETRY);
  } finally {
    busy = null;
    if (kept !== changes && since && !leaving) plan(Math.max(IDLE / 2, since + LONGEST - Date.now()));
  }
}

function post(signal) {
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  return fetch(words.keep, { method: "POST", body: content(), headers: { "X-CSRFToken": token }, signal, redirect: "manual" });
}

async function settle(answer, now) {
  if (answer.ok) {
    kept = now;
    if (kept === changes) form.dispatchEvent(new Event("registry:saved"));
    say(`${words.saved} ${new Date().toLocaleTimeString("en-GB")}`);
  } else if (answer.type === "opaqueredirect" || [403, 409].includes(answer.status)) {
    // Signed out, somebody else signed in, or a stale token: all three are put right in the same way.
    if (await renew()) plan(0);
  } else {
    say(words.refused, { problem: true });
  }
}

// True when this page's person is signed in and the form holds a fresh token.
async function renew() {
  const found = await session(words.session);
  if (found?.person === Number(words.person)) {
    fresh(found.token);
    return true;
  }
  say(words.signedOut, { problem: true, act: { label: words.signIn, go: () => renew().then((done) => done && note()) } });
  return signInAgain(words, fresh);
}

function fresh(token) {
  for (const input of document.querySelectorAll("[name=csrfmiddlewaretoken]")) input.value = token;
}

// How long the form is as the browser sends it; of files only their names, they are measured elsewhere.
function size() {
  if (form.enctype !== "multipart/form-data") return content().toString().length;
  return [...new FormData(form)].reduce((sum, [name, value]) => sum + (value instanceof File ? 0 : new Blob([name, value]).size), 0);
}

// Sent in two steps: first asked whether it will be taken, then sent by the browser itself.
async function submit(event) {
  event.preventDefault();
  const button = event.submitter;
  if (leaving) return; // the second click of a double click
  if (size() > Number(words.most)) return stay(words.tooLong, words.again, button);
  leaving = true;
  clearTimeout(timer);
  busy?.abort();
  try {
    if (await renew()) return go(button);
    stay(words.signedOut, words.signIn, button);
  } catch {
    stay(words.unsent, words.again, button);
  }
}

function stay(text, label, button) {
  leaving = false;
  form.dispatchEvent(new Event("registry:unsaved"));
  note();
  say(text, { problem: true, act: { label, go: () => form.requestSubmit(button) } });
}

function go(button) {
  if (button?.name) {
    const pressed = Object.assign(document.createElement("input"), { type: "hidden", name: button.name, value: button.value });
    form.append(pressed);
    setTimeout(() => pressed.remove());
  }
  HTMLFormElement.prototype.submit.call(form);
}

// A page that is put aside keeps what it has at once; one that is closed sends what fits.
function flush() {
  if (leaving || kept === changes) return;
  const body = content();
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const keepalive = body.toString().length < KEEPALIVE;
  fetch(words.keep, { method: "POST", body, headers: { "X-CSRFToken": token }, keepalive, redirect: "manual" }).catch(() => {});
}

// Times as this person's clock says them.
for (const time of document.querySelectorAll("time[data-local]")) {
  const at = new Date(time.dateTime);
  if (!Number.isNaN(at.getTime())) time.textContent = `${at.toLocaleDateString("sv-SE")} ${at.toLocaleTimeString("en-GB").slice(0, 5)}`;
}

if (form && words) {
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("click", (event) => { if (event.target.closest("[data-drop]")) note(); });
  form.addEventListener("submit", submit);
  window.addEventListener("online", () => kept !== changes && plan(0));
  window.addEventListener("pagehide", flush);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") flush(); });
  // Back from the browser's own memory of the page: it can be sent again.
  window.addEventListener("pageshow", (event) => { if (event.persisted) leaving = false; });
}
