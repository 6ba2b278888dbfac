// Figures answer to pointer and keyboard: each is one stop, arrows walk its marks, a small note says what a mark is.
// The words are the <title> of each mark; without this script they show by themselves.
const KEYS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

for (const chart of document.querySelectorAll(".chart")) {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.setAttribute("role", "status");
  tip.hidden = true;
  chart.append(tip);
  for (const region of chart.querySelectorAll(".is-heat .map-region:has(> title)")) region.classList.add("spot");
  for (const figure of chart.querySelectorAll("svg.figure, svg.is-heat")) enliven(figure, chart, tip);
}

function enliven(figure, chart, tip) {
  const spots = [...figure.querySelectorAll(".spot")];
  if (!spots.length) return;
  for (const spot of spots) {
    const title = spot.querySelector("title");
    spot.dataset.tip = title.textContent;
    title.remove(); // or the browser shows it a second time
  }
  const name = figure.querySelector(":scope > title");
  figure.setAttribute("aria-label", name.textContent);
  name.remove();
  figure.removeAttribute("aria-labelledby"); // of a map, it named the title
  figure.setAttribute("tabindex", "0");
  figure.setAttribute("aria-roledescription", "figure, arrow keys read its marks");
  let here = -1;

  function show(spot) {
    for (const other of figure.querySelectorAll(".is-here")) other.classList.remove("is-here");
    if (!spot) { tip.hidden = true; return; }
    here = spots.indexOf(spot);
    spot.classList.add("is-here");
    tip.textContent = spot.dataset.tip;
    tip.hidden = false;
    const frame = chart.getBoundingClientRect(), place = spot.getBoundingClientRect();
    const half = tip.offsetWidth / 2;
    const middle = place.left - frame.left + place.width / 2;
    tip.style.left = `${Math.min(Math.max(middle, half), frame.width - half)}px`;
    tip.style.top = `${Math.max(place.top - frame.top, tip.offsetHeight + 10)}px`;
  }

  figure.addEventListener("pointerover", (event) => show(event.target.closest(".spot")));
  figure.addEventListener("pointerleave", () => show(null));
  figure.addEventListener("blur", () => show(null));
  figure.addEventListener("keydown", (event) => {
    const step = KEYS[event.key];
    if (event.key === "Escape") return show(null);
    if (event.key === "Home" || event.key === "End") here = event.key === "Home" ? -1 : spots.length;
    else if (!step) return;
    event.preventDefault();
    const to = event.key === "End" ? spots.length - 1 : here + (step ?? 1);
    show(spots[Math.min(Math.max(to, 0), spots.length - 1)]);
  });
}
