// Two viewers that move together: the same millimetres where both have a scale, else the same share of their width.
const viewers = [...document.querySelectorAll("[data-compare] [data-viewer]")];
const link = document.querySelector("[data-link]");
const words = document.querySelector("[data-link-words]");
let apart = null; // where the second looks, less where the first looks, when they were linked

function spacing(viewer) {
  const found = viewer.told?.calibrations?.map((one) => one.spacing) ?? [];
  const alike = found.length && found.every((one) => one.join() === found[0].join());
  if (alike) return [found[0][1], found[0][0]];
  return viewer.scaleMm ? [viewer.scaleMm, viewer.scaleMm] : null;
}

function units() {
  const found = viewers.map(spacing);
  const calibrated = found.every(Boolean);
  words.textContent = calibrated ? words.dataset.mm : words.dataset.width;
  return calibrated ? found : viewers.map(({ stage }) => [1 / stage.picture.width, 1 / stage.picture.width]);
}

function place({ stage }, [across, down]) {
  return { x: stage.x * across, y: stage.y * down, dots: stage.zoom / Math.min(across, down), turns: stage.turns };
}

function follow(from) {
  if (!link.checked || !apart) return;
  const [one, other] = from === 0 ? [0, 1] : [1, 0];
  const measure = units();
  const here = place(viewers[one], measure[one]);
  const sign = from === 0 ? 1 : -1;
  const [across, down] = measure[other];
  viewers[other].stage.lookAt({
    x: (here.x + sign * apart.x) / across, y: (here.y + sign * apart.y) / down,
    zoom: here.dots * Math.min(across, down), turns: (here.turns + sign * apart.turns + 4) % 4,
  });
  viewers[other].controls.showScale();
}

function join() {
  const measure = units();
  const [left, right] = viewers.map((viewer, side) => place(viewer, measure[side]));
  apart = { x: right.x - left.x, y: right.y - left.y, turns: (right.turns - left.turns + 4) % 4 };
  follow(left.dots <= right.dots ? 0 : 1); // what both can show whole
}

async function pairs() {
  const page = await fetch(location.href).then((answer) => answer.text());
  const fresh = new DOMParser().parseFromString(page, "text/html").querySelector("[data-pairs]");
  if (fresh) document.querySelector("[data-pairs]").replaceWith(fresh);
}

if (viewers.length === 2) {
  let ready = 0;
  const begin = () => {
    ready += 1;
    if (ready < 2) return;
    link.closest("label").hidden = false;
    viewers.forEach(({ stage }, side) => stage.addEventListener("moved", () => follow(side)));
    join();
  };
  for (const viewer of viewers) {
    if (viewer.told) begin();
    else viewer.addEventListener("viewer:ready", begin, { once: true });
    viewer.addEventListener("viewer:kept", pairs);
  }
  link.addEventListener("change", () => { if (link.checked) join(); });
}
