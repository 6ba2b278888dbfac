// Measurements and the one being drawn, as SVG over the picture; placed anew whenever the picture moves.
const SVG = "http://www.w3.org/2000/svg";
const CLOSED = "PLANIMETRIC_AREA";

function element(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const line = ([x1, y1], [x2, y2]) => element("line", { x1, y1, x2, y2 });
const path = (points, closed) => element("path", { d: `M${points.map((one) => one.join(" ")).join("L")}${closed ? "Z" : ""}` });

function ends(from, to) {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const length = Math.hypot(dx, dy) || 1;
  const [nx, ny] = [(-dy / length) * 5, (dx / length) * 5];
  return [from, to].map(([x, y]) => line([x - nx, y - ny], [x + nx, y + ny]));
}

function shape(kind, points) {
  if (kind === "MARK") {
    const [[x, y]] = points;
    return [element("circle", { cx: x, cy: y, r: 9 }), line([x, y - 15], [x, y - 5]), line([x, y + 5], [x, y + 15]), line([x - 15, y], [x - 5, y]), line([x + 5, y], [x + 15, y])];
  }
  if (kind === CLOSED) return [path(points, points.length > 2)];
  const parts = [];
  for (let place = 0; place + 1 < points.length; place += 2) parts.push(line(points[place], points[place + 1]), ...ends(points[place], points[place + 1]));
  return parts;
}

export function drawn({ kind, points, text, lesion }, toScreen, { chosen = false, handles = false, width = Infinity } = {}) {
  const places = points.map(toScreen);
  const group = element("g", { class: `measure${chosen ? " is-chosen" : ""}`, "data-kind": kind });
  if (!places.length) return group;
  const under = element("g", { class: "under" }, ...shape(kind, places));
  group.append(under, element("g", { class: "over" }, ...shape(kind, places)));
  if (handles) for (const [cx, cy] of places.slice(0, 40)) group.append(element("circle", { class: "handle", cx, cy, r: 4.5 }));
  const words = [lesion, text].filter(Boolean).join(" ");
  if (words) {
    const [first, last] = [-1, 1].map((side) => places.reduce((best, one) => (side * one[0] > side * best[0] ? one : best)));
    const room = last[0] + 20 + words.length * 7.5 < width; // else on the left
    const [x, y] = room ? [last[0] + (kind === "MARK" ? 20 : 12), last[1] + 4] : [first[0] - (kind === "MARK" ? 20 : 12), first[1] + 4];
    const label = element("text", { x, y, "text-anchor": room ? "start" : "end" });
    label.textContent = words;
    group.append(label);
  }
  return group;
}

export function cross(place) {
  const [x, y] = place;
  return element("g", { class: "cursor" }, line([x - 14, y], [x - 4, y]), line([x + 4, y], [x + 14, y]), line([x, y - 14], [x, y - 4]), line([x, y + 4], [x, y + 14]));
}
