// Two courtesies of every form. Numbers stay as typed (comma or point): the server understands both.

// 1. <form data-guard>: leaving with unsaved changes asks first. Whoever saves without leaving (a draft) says so with
//    form.dispatchEvent(new Event("registry:saved")), and "registry:unsaved" when sending failed after all.
const unsaved = new Set();

for (const form of document.querySelectorAll("form[data-guard]")) {
  const changed = (event) => event.target.name && unsaved.add(form);
  form.addEventListener("input", changed);
  form.addEventListener("change", changed);
  form.addEventListener("submit", () => unsaved.delete(form));
  form.addEventListener("registry:saved", () => unsaved.delete(form));
  form.addEventListener("registry:unsaved", () => unsaved.add(form));
}

window.addEventListener("beforeunload", (event) => {
  if (unsaved.size) event.preventDefault();
});

// 2. A radio chip chosen by mistake can be un-answered: Backspace or Delete. Arrow keys and space are the browser's own.
document.addEventListener("keydown", (event) => {
  const radio = event.target;
  if (!["Backspace", "Delete"].includes(event.key) || !radio.matches?.(".chip input[type=radio]:checked")) return;
  if (radio.required) return;
  event.preventDefault();
  radio.checked = false;
  radio.dispatchEvent(new Event("input", { bubbles: true }));
  radio.dispatchEvent(new Event("change", { bubbles: true }));
});
