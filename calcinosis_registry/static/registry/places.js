// Places of a condition chosen on the body map. The list of the condition stays what is posted: the map ticks its boxes.
const dialog = document.querySelector("[data-places]");
let values = null; // the condition that is being answered

const boxes = () => [...values.querySelectorAll("[data-codes] input")];

/** Where the codes of a list end that lie inside this one: they follow it, indented deeper. */
function inside(box) {
  const found = [];
  const line = box.closest("li");
  for (let next = line.nextElementSibling; next && Number(next.dataset.depth) > Number(line.dataset.depth); next = next.nextElementSibling) {
    found.push(next.querySelector("input").value);
  }
  return found;
}

function paint() {
  const chosen = boxes().filter((box) => box.checked);
  const codes = new Set(chosen.map((box) => box.value));
  const within = new Set(chosen.flatMap(inside));
  for (const region of dialog.querySelectorAll(".map-region[role=button]")) {
    const { site } = region.dataset;
    region.classList.remove("is-chosen");
    region.classList.toggle("is-picked", codes.has(site));
    region.classList.toggle("is-within", within.has(site) && !codes.has(site));
    region.setAttribute("aria-pressed", String(codes.has(site)));
  }
  const told = dialog.querySelector("[data-chosen]");
  told.textContent = chosen.map((box) => box.parentElement.textContent.trim()).join(", ") || told.dataset.none;
}

dialog.addEventListener("region-chosen", ({ detail }) => {
  const box = boxes().find((one) => one.value === detail.site);
  if (box) {
    box.checked = !box.checked;
    box.dispatchEvent(new Event("input", { bubbles: true }));
  }
  paint();
  const told = dialog.querySelector("[data-chosen]");
  if (!box) told.textContent = `${told.dataset.not} ${detail.label}`;
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-map-open]");
  if (!button) return;
  values = button.closest(".q-value");
  paint();
  dialog.showModal();
  dialog.querySelector('[role="tab"][aria-selected="true"]').focus();
});

/** Offer the map beside the lists of places; call again for markup that arrives later. */
export function offerMap(root) {
  for (const button of root.querySelectorAll("[data-map-open]")) button.hidden = false;
}
