// The cohort builder works without this; with it the count follows the typing, and rows come and go without a reload.
const form = document.querySelector("[data-builder]");
const conditions = form.querySelector("[data-conditions]");
const told = document.querySelector("[data-told]");
let waiting = null;
let asked = 0;

async function count() {
  const turn = ++asked;
  let answer;
  try {
    answer = await fetch(form.dataset.countUrl, { method: "POST", body: new FormData(form) });
  } catch {
    return; // no network: the button still counts
  }
  if (!answer.ok || turn !== asked) return;
  const { count, sentence, problems } = await answer.json();
  told.querySelector("[data-count]").textContent = count || "–";
  told.querySelector("[data-sentence]").textContent = sentence;
  told.querySelector("[data-problems]").replaceChildren(
    ...problems.map((problem) => Object.assign(document.createElement("li"), { textContent: problem })),
  );
}

function soon() {
  clearTimeout(waiting);
  waiting = setTimeout(count, 350);
}

async function fetchRow(index, item) {
  const query = new URLSearchParams({ index, item });
  const answer = await fetch(`${form.dataset.conditionUrl}?${query}`);
  if (!answer.ok) return null;
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  return holder.content.querySelector("[data-condition]");
}

form.addEventListener("input", soon);
form.addEventListener("change", async (event) => {
  if (!event.target.matches("[data-item]")) return soon();
  const row = event.target.closest("[data-condition]");
  const fresh = await fetchRow(event.target.name.split("-")[1], event.target.value);
  if (!fresh) return;
  row.replaceWith(fresh);
  fresh.querySelector("[data-item]").focus();
  soon();
});

form.addEventListener("click", async (event) => {
  if (!event.target.matches('button[value="add"]')) return;
  event.preventDefault();
  const rows = form.querySelector("[data-rows]");
  const fresh = await fetchRow(rows.value, "");
  if (!fresh) return;
  conditions.append(fresh);
  rows.value = String(Number(rows.value) + 1);
  fresh.querySelector("[data-item]").focus();
});
