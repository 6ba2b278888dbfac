// Two courtesies while adjudicating: all open sites from one reader at once, and typing a value chooses "other".
const form = document.querySelector(".adjudication");
const all = form.querySelector("[data-all]");

if (all) {
  all.hidden = false;
  all.addEventListener("click", (event) => {
    const from = event.target.closest("button")?.value;
    if (!from) return;
    for (const site of form.querySelectorAll(".differing-site")) {
      if (!site.querySelector(":checked")) site.querySelector(`[value="${from}"]`).checked = true;
    }
    form.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

form.addEventListener("input", (event) => {
  const other = event.target.closest?.(".differing-other");
  if (other && event.target.value) other.closest(".differing-site").querySelector('[value="other"]').checked = true;
});
