// <input data-filter="selector">: shows the matching elements whose text holds every word typed; empty groups go away.
for (const input of document.querySelectorAll("[data-filter]")) {
  const entries = [...document.querySelectorAll(input.dataset.filter)].map((element) => ({
    element,
    text: element.textContent.toLowerCase(),
  }));
  const groups = [...document.querySelectorAll("[data-filter-group]")];
  const found = document.querySelector("[data-filter-found]");
  const nothing = document.querySelector("[data-filter-empty]");
  input.closest("[data-filter-box]").hidden = false;

  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { element, text } of entries) {
      element.hidden = !words.every((word) => text.includes(word));
      count += element.hidden ? 0 : 1;
    }
    for (const group of groups) group.hidden = !group.querySelector(`${input.dataset.filter}:not([hidden])`);
    found.textContent = `${count} ${found.dataset.filterFound}`;
    nothing.hidden = count > 0;
  });
}
