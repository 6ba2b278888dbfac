// The course: another stretch of time in place, by button, by two dates, or by drawing over the picture. Every control is
// a link or a form that works without this.

const holder = document.querySelector("[data-course]");
const DAY = 86_400_000;
const LEAST = 12; // px; less is a press on a point

const iso = (time) => new Date(time).toISOString().slice(0, 10);

async function show(query, focus = "") {
  const answer = await fetch(`${holder.dataset.src}?${query}`, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
  // A session that is over is redirected to the sign-in page: then the page itself is opened, as without this.
  if (!answer?.ok || answer.redirected) { location.search = query; return; }
  const section = holder.querySelector("#course");
  const fresh = document.createElement("template");
  fresh.innerHTML = await answer.text();
  section.replaceWith(fresh.content);
  history.replaceState(null, "", `?${query}${location.hash}`);
  holder.querySelector("[data-course-said]").textContent = holder.querySelector("#course").dataset.shown;
  if (focus) holder.querySelector(focus)?.focus({ preventScroll: true });
}

/** The time under a press on the picture, held within it. */
function timeAt(svg, event) {
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  const [left, right] = [Number(svg.dataset.left), Number(svg.dataset.right)];
  const share = Math.min(Math.max((point.x - left) / (right - left), 0), 1);
  const [first, last] = [Date.parse(svg.dataset.first), Date.parse(svg.dataset.last)];
  return { time: first + share * (last - first), x: left + share * (right - left) };
}

function drawOver(svg, start) {
  const from = timeAt(svg, start);
  const band = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const height = svg.viewBox.baseVal.height;
  for (const [name, value] of Object.entries({ class: "fig-drawn", y: 0, height, x: from.x, width: 0 })) band.setAttribute(name, value);
  const move = (event) => {
    if (!band.isConnected && Math.abs(event.clientX - start.clientX) < LEAST) return;
    const to = timeAt(svg, event);
    band.setAttribute("x", Math.min(from.x, to.x));
    band.setAttribute("width", Math.abs(to.x - from.x));
    if (!band.isConnected) svg.append(band);
  };
  const stop = (event) => {
    window.removeEventListener("pointermove", move);
    window.removeEventListener("pointerup", stop);
    window.removeEventListener("pointercancel", stop);
    const drawn = band.isConnected;
    band.remove();
    if (!drawn || event.type === "pointercancel") return;
    svg.addEventListener("click", (click) => click.preventDefault(), { capture: true, once: true });
    const [first, last] = [from.time, timeAt(svg, event).time].sort((a, b) => a - b);
    if (last - first > 6 * DAY) show(`from=${iso(first)}&to=${iso(last)}`);
  };
  window.addEventListener("pointermove", move);
  window.addEventListener("pointerup", stop);
  window.addEventListener("pointercancel", stop);
}

if (holder) {
  holder.addEventListener("click", (event) => {
    const link = event.target.closest("[data-course-query]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const query = link.dataset.courseQuery;
    show(query, query.startsWith("span") ? `[data-course-query="${query}"]` : `[data-course-query]:nth-of-type(${[...link.parentNode.children].indexOf(link) + 1}).btn`);
  });
  holder.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-course-zoom]")) return;
    event.preventDefault();
    show(new URLSearchParams(new FormData(event.target)).toString(), "[data-course-zoom] button");
  });
  holder.addEventListener("pointerdown", (event) => {
    const svg = event.target.closest("svg.course");
    if (svg && event.button === 0 && event.pointerType !== "touch") drawOver(svg, event);
  });
  holder.addEventListener("dragstart", (event) => { if (event.target.closest("svg.course")) event.preventDefault(); });
}
