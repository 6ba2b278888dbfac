// Lengths and areas while drawing. The register works them out again from the points it is sent (lesions/planimetry.py).
const far = ([ax, ay], [bx, by]) => Math.hypot(bx - ax, by - ay);

// The calibration all points lie under: a known length, the whole picture, or one ultrasound region. Null: none.
export function calibrationOf(points, calibrations) {
  const inside = ({ box }) => !box || points.every(([x, y]) => x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3]);
  return calibrations.find(inside) ?? null;
}

export function knownLength(points, mm) {
  const each = mm / (far(...points) || 1);
  return [each, each];
}

const inMm = (points, [row, column]) => points.map(([x, y]) => [x * column, y * row]);

export function distance(points, spacing) {
  return far(...inMm(points.slice(0, 2), spacing));
}

export function axes(points, spacing) {
  const both = [distance(points.slice(0, 2), spacing), distance(points.slice(2), spacing)];
  return both.sort((a, b) => b - a);
}

export function polygon(points, spacing) {
  const ring = inMm(points, spacing);
  const twice = ring.reduce((sum, [x, y], place) => {
    const [nextX, nextY] = ring[(place + 1) % ring.length];
    return sum + x * nextY - nextX * y;
  }, 0);
  return Math.abs(twice) / 2;
}

// The axis across: through the foot of `place` on the first axis, as long to either side as `place` is away from it.
export function across([start, end], place, [wide, high]) {
  const scaled = ([x, y]) => [x * wide, y * high];
  const [a, b, p] = [start, end, place].map(scaled);
  const [ux, uy] = [b[0] - a[0], b[1] - a[1]];
  const length2 = ux * ux + uy * uy || 1;
  const along = Math.min(1, Math.max(0, ((p[0] - a[0]) * ux + (p[1] - a[1]) * uy) / length2));
  const foot = [a[0] + along * ux, a[1] + along * uy];
  const away = ((p[0] - a[0]) * -uy + (p[1] - a[1]) * ux) / length2;
  return [1, -1].map((side) => [(foot[0] - side * away * uy) / wide, (foot[1] + side * away * ux) / high]);
}

// An end of an axis moved along that axis only, so that the two stay across each other.
export function alongAxis([start, end], place, [wide, high]) {
  const [ux, uy] = [(end[0] - start[0]) * wide, (end[1] - start[1]) * high];
  const length2 = ux * ux + uy * uy || 1;
  const share = ((place[0] - start[0]) * wide * ux + (place[1] - start[1]) * high * uy) / length2;
  return [start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])];
}

// Fewer points of a line drawn by hand: those nearer than `apart` to the last one kept go.
export function thinned(points, apart, most) {
  let kept = points.filter((point, place) => place === 0 || far(points[place - 1], point) > 0);
  let reach = apart;
  while (kept.length > most) {
    const before = kept;
    kept = [before[0]];
    for (const point of before.slice(1)) if (far(kept.at(-1), point) >= reach) kept.push(point);
    reach *= 1.5;
  }
  return kept;
}
