// Squares and crops as `rcn_keras.faces` computes them; a square is [left, top, side].

export const INPUT = 80; // side of the network's input in pixels
const CROP = 160; // side of the stored crop, the first step of the resampling
const LOBES = 3;
const BLOCKS = [2, 4, 8, 16, 32]; // sides of blocks of pixels, averaged first
const STILL = 0.05; // a square that moves by less of its side is kept

/** Grey of RGBA bytes, as whole numbers: Float32Array of width * height. */
export function grayOf(rgba) {
  const gray = new Float32Array(rgba.length / 4);
  for (let i = 0; i < gray.length; i++) {
    const [red, green, blue] = [rgba[4 * i], rgba[4 * i + 1], rgba[4 * i + 2]];
    gray[i] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
  }
  return gray;
}

const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** For each output pixel of an axis the source pixels that count: [[index, weight]]. */
function lanczosTaps(start, side, size, length) {
  const step = side / size;
  const stretch = Math.max(step, 1); // shrinking widens the window: no aliasing
  const block = Math.max(1, ...BLOCKS.filter((block) => step >= 2 * block));
  const support = LOBES * stretch + block / 2;
  return Array.from({ length: size }, (_, i) => {
    const center = start + (i + 0.5) * step;
    if (center < 0 || center >= length) return [];
    const taps = [];
    let total = 0;
    const first = Math.max(0, Math.floor(center - support));
    const last = Math.min(length - 1, Math.ceil(center + support));
    for (let index = first; index <= last; index++) {
      const middle = (Math.floor(index / block) + 0.5) * block;
      const offset = (middle - center) / stretch;
      if (Math.abs(offset) >= LOBES) continue;
      const weight = sinc(offset) * sinc(offset / LOBES);
      total += weight;
      taps.push([index, weight]);
    }
    return taps.map(([index, weight]) => [index, weight / total]);
  });
}

function bilinearTaps(start, side, size, length) {
  const inside = (index) => Math.min(Math.max(index, 0), length - 1);
  return Array.from({ length: size }, (_, i) => {
    const position = start + (i + 0.5) * (side / size) - 0.5;
    const first = Math.floor(position);
    const after = position - first;
    return [[inside(first), 1 - after], [inside(first + 1), after]];
  });
}

/** Both steps as one list of taps: Lanczos to the stored crop, bilinear from there. */
function inputTaps(start, side, context, length) {
  const margin = (context - 1) / 2;
  const inner = CROP / context;
  const crop = lanczosTaps(start - margin * side, context * side, CROP, length);
  return bilinearTaps(inner * margin, inner, INPUT, CROP).map((pair) =>
    pair.flatMap(([index, share]) => crop[index].map(([at, w]) => [at, share * w])),
  );
}

/** The network's input for a square: INPUT * INPUT grey values, row by row. */
export function inputCrop({ gray, width, height }, [left, top, side], context) {
  const rows = inputTaps(top, side, context, height);
  const columns = inputTaps(left, side, context, width);
  const crop = new Float32Array(INPUT * INPUT);
  const line = new Float32Array(width);
  rows.forEach((taps, y) => {
    line.fill(0);
    for (const [row, weight] of taps) {
      for (let x = 0; x < width; x++) line[x] += weight * gray[row * width + x];
    }
    columns.forEach((across, x) => {
      let value = 0;
      for (const [column, weight] of across) value += weight * line[column];
      crop[y * INPUT + x] = Math.round(Math.min(Math.max(value, 0), 255));
    });
  });
  return crop;
}

/** A face box [x0, y0, x1, y1] as the square of the first pass. */
export function boxSquare([x0, y0, x1, y1], [shiftX, shiftY, scale]) {
  const size = (x1 - x0 + y1 - y0) / 2;
  const side = scale * size;
  const x = (x0 + x1) / 2 + shiftX * size;
  const y = (y0 + y1) / 2 + shiftY * size;
  return [x - side / 2, y - side / 2, side];
}

/** The paper's square around 5 points, kept inside the picture. */
function keypointSquare(points, ratio, sizes) {
  const four = [0, 1, 3, 4].map((k) => points[k]);
  let low = [0, 1].map((a) => Math.trunc(Math.min(...four.map((p) => p[a]))));
  let high = [0, 1].map((a) => Math.trunc(Math.max(...four.map((p) => p[a]))));
  const longest = Math.max(high[0] - low[0], high[1] - low[1]);
  const missing = [0, 1].map((a) => longest - (high[a] - low[a]));
  const mean = (p, q) => [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2];
  const distance = (p, q) => Math.hypot(p[0] - q[0], p[1] - q[1]);
  const reach = Math.max(
    distance(points[0], points[1]),
    distance(mean(points[0], points[1]), mean(points[3], points[4])),
  );
  const margin = Math.trunc(ratio * reach);
  low = low.map((v, a) => v - Math.ceil(missing[a] / 2) - margin);
  high = high.map((v, a) => v + Math.floor(missing[a] / 2) + margin);
  // Moved inside from beyond either edge; what is larger than the picture is cut.
  const move = low.map((v, a) => {
    const inside = Math.max(-v, 0);
    return inside - Math.max(high[a] + inside - sizes[a], 0);
  });
  low = low.map((v, a) => Math.max(v + move[a], 0));
  high = high.map((v, a) => v + move[a]);
  const side = Math.min(high[0] - low[0], high[1] - low[1]);
  return [...low.map((v, a) => v + Math.ceil((high[a] - v - side) / 2)), side];
}

/** The square of the next pass, from the points of the last; or the last square. */
export function secondSquare(points, rule, square, width, height) {
  const outer = keypointSquare(points, rule.outer, [width, height]);
  const step = Math.max(outer[2], 1) / CROP;
  const inCrop = points.map((p) => [(p[0] - outer[0]) / step, (p[1] - outer[1]) / step]);
  const inner = keypointSquare(inCrop, rule.inner, [CROP, CROP]);
  if (!(Math.min(outer[2], inner[2]) >= 1)) return square;
  const second = [outer[0] + inner[0] * step, outer[1] + inner[1] * step, inner[2] * step];
  return movement(square, second) > STILL ? second : square;
}

/** How far a square lies from another: of its centre and side, in sides. */
function movement([left, top, side], [otherLeft, otherTop, otherSide]) {
  const wider = otherSide - side;
  const shifts = [otherLeft - left + wider / 2, otherTop - top + wider / 2];
  return Math.max(...[...shifts, wider].map(Math.abs)) / side;
}
