// The totals while scoring, and two courtesies: coverage 0 is density 0, and "the rest of this hand is 0".
// The server computes everything again on saving.
const form = document.querySelector("#score-form");
const rows = [...form.querySelectorAll("[data-site]")].map((cell) => ({
  hand: cell.dataset.hand,
  weight: Number(cell.dataset.weight),
  coverage: form.elements[`${cell.dataset.site}-coverage`],
  density: form.elements[`${cell.dataset.site}-density`],
  unscorable: form.elements[`${cell.dataset.site}-unscorable`],
}));

function show(id, value) {
  document.querySelector(`#${id}`).value = value;
}

function refresh() {
  const sums = { R: 0, L: 0 };
  let rated = 0;
  for (const row of rows) {
    const off = row.unscorable.checked;
    row.coverage.disabled = row.density.disabled = off;
    const [coverage, density] = [row.coverage.value.trim(), row.density.value];
    if (off || (coverage !== "" && density !== "")) rated += 1;
    if (!off) sums[row.hand] += row.weight * Number(coverage || 0) * Number(density || 0) || 0;
  }
  show("total-R", sums.R);
  show("total-L", sums.L);
  show("total", sums.R + sums.L);
  show("rated", rated);
}

form.addEventListener("input", (event) => {
  const row = rows.find((one) => one.coverage === event.target || one.density === event.target);
  if (row && event.target === row.coverage && row.coverage.value.trim() === "0") row.density.value = "0";
  if (row && event.target === row.density && row.density.value === "0") row.coverage.value = "0";
  refresh();
});

form.addEventListener("change", refresh);

for (const button of form.querySelectorAll("[name=rest]")) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    const empty = rows.filter((row) => row.hand === button.value && !row.unscorable.checked
      && row.coverage.value.trim() === "" && row.density.value === "");
    for (const row of empty) row.coverage.value = row.density.value = "0";
    empty[0]?.coverage.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

refresh();
