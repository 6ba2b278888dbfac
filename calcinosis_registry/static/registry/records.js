// Shows a field only while the answer it depends on is given. The server decides again on saving.
const form = document.querySelector("form.record-form, form.visit-form") ?? document;

function answers(scope, name) {
  return [...scope.querySelectorAll(`[name$="${name}"]`)].flatMap((input) => {
    if (input.type === "radio" || input.type === "checkbox") return input.checked ? [input.value] : [];
    return [input.value];
  });
}

function refresh() {
  for (const dependent of form.querySelectorAll("[data-only-if]")) {
    const wanted = JSON.parse(dependent.dataset.onlyIf);
    const scope = dependent.closest("[data-record]") ?? form;
    const box = dependent.closest("[data-field]");
    const prefix = (dependent.getAttribute("name") ?? "").split("-").slice(0, -1).join("-");
    const applies = Object.entries(wanted).every(([name, values]) =>
      answers(scope, prefix ? `${prefix}-${name}` : name).some((answer) => values.includes(answer)));
    if (box) box.hidden = !applies;
  }
}

form.addEventListener("change", refresh);
refresh();
