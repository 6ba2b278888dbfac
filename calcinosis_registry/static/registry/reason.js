// The usual reasons for a change, one press each: they fill in the line beside them.
for (const chips of document.querySelectorAll("[data-reasons]")) {
  chips.hidden = false;
  chips.addEventListener("click", (event) => {
    const chip = event.target.closest("[data-fill]");
    if (!chip) return;
    const line = chips.parentElement.querySelector(`[name="${chip.dataset.fill}"]`);
    line.value = chip.textContent;
    line.dispatchEvent(new Event("input", { bubbles: true }));
    line.dispatchEvent(new Event("change", { bubbles: true }));
    line.focus();
  });
}
