// Shows a field only while the answer it depends on is given. The server decides again on saving.
const form = document.querySelector("form.record-form, form.visit-form") ?? document;

function answers(scope, name) {
  const found = [...scope.querySelectorAll(`[name="${name}"]`)].flatMap((input) => {
    if (input.type === "radio" || input.type === "checkbox") return input.checked ? [input.value] : [];
    return [input.value];
  });
  return found.length ? found : [""];
}

export function refresh() {
  for (const dependent of form.querySelectorAll("[data-only-if]")) {
    const wanted = JSON.parse(dependent.dataset.onlyIf);
    const scope = dependent.closest("[data-record]") ?? form;
    const box = dependent.closest(".field");
    const prefix = (dependent.getAttribute("name") ?? "").split("-").slice(0, -1).join("-");
    const applies = Object.entries(wanted).every(([name, values]) =>
      answers(scope, prefix ? `${prefix}-${name}` : name).some((answer) => values.includes(answer)));
    if (box) box.hidden = !applies;
  }
}

// A list of choices narrowed by another answer (data-narrowed-by, data-allowed), and a note that goes with an answer
// (data-notes). Without this script every choice is offered, and the server says which one it takes.
function narrow() {
  for (const select of form.querySelectorAll("select[data-narrowed-by]")) {
    const [answer] = answers(form, select.dataset.narrowedBy);
    const allowed = JSON.parse(select.dataset.allowed)[answer];
    for (const option of select.options) {
      option.hidden = option.disabled = Boolean(allowed && option.value && !allowed.includes(option.value));
    }
    if (select.selectedOptions[0]?.disabled) select.value = "";
    if (!select.value && allowed?.length === 1) select.value = allowed[0];
  }
  for (const select of form.querySelectorAll("select[data-notes]")) {
    const box = select.closest(".field");
    const note = box.querySelector(".field-note") ?? box.appendChild(Object.assign(document.createElement("span"), { className: "field-help field-note" }));
    note.setAttribute("aria-live", "polite");
    note.textContent = JSON.parse(select.dataset.notes)[select.value] ?? "";
  }
}

// A folded part is fetched when it is opened; only then are its fields sent and saved.
async function open(details) {
  const { src, part } = details.dataset;
  if (!src || details.querySelector(`[name="${part}-more"]`)) return;
  const holder = details.querySelector("div[data-part]");
  const answer = await fetch(src, { headers: { "X-Requested-With": "fetch" } });
  if (!answer.ok) { holder.textContent = holder.dataset.failed; return; }
  holder.innerHTML = await answer.text();
  refresh();
}

form.addEventListener("toggle", (event) => { if (event.target.open) open(event.target); }, true);
form.addEventListener("change", refresh);
form.addEventListener("change", narrow);
refresh();
narrow();
