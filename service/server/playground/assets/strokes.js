// Paints strokes, and writes them into an address and reads them from it.

/** Side of the canvas in pixels; coordinates of strokes are in this square, whatever the size on the screen. */
export const CANVAS_SIZE = 448;
// MNIST's digits are 20 of 28 pixels high, and its median stroke is 2.6 pixels wide.
const DIGIT_HEIGHT = (CANVAS_SIZE * 20) / 28;
/** Widths of the brush in percent of a digit's height. */
export const BRUSH = { min: 4, max: 30, initial: 13 };
const MOUSE_PRESSURE = 0.5;
const BACKGROUND = "#000";
const INK = "#fff";
// Positions are multiples of this, so that a drawing in an address is exactly the one that was drawn.
const STEPS_PER_PIXEL = 4;
const PRESSURE_STEPS = 64;
const MAX_BYTES = 20_000; // of a drawing in an address

/** Return a point of a stroke: rounded, and inside the canvas. The pressure is 0 to 1; a mouse has 0.5. */
export function strokePoint(x, y, pressure = MOUSE_PRESSURE) {
  return {
    x: round(clamp(x, 0, CANVAS_SIZE), STEPS_PER_PIXEL),
    y: round(clamp(y, 0, CANVAS_SIZE), STEPS_PER_PIXEL),
    pressure: round(clamp(pressure, 0, 1), PRESSURE_STEPS),
  };
}

/** Paint an empty canvas. */
export function paintBackground(context) {
  context.fillStyle = BACKGROUND;
  context.fillRect(0, 0, CANVAS_SIZE, CANVAS_SIZE);
}

/**
 * Paint strokes, with curves through the midpoints between their points.
 *
 * @param {CanvasRenderingContext2D} context Scaled so that the canvas is CANVAS_SIZE wide.
 * @param {{points: object[], brush: number, erases: boolean}[]} strokes Each has a point or more.
 */
export function paintStrokes(context, strokes) {
  context.save();
  // The server takes the background from the border of the picture, which therefore stays free of ink.
  context.beginPath();
  context.rect(1, 1, CANVAS_SIZE - 2, CANVAS_SIZE - 2);
  context.clip();
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const stroke of strokes) paintStroke(context, stroke);
  context.restore();
}

function paintStroke(context, { points, brush, erases }) {
  context.strokeStyle = erases ? BACKGROUND : INK;
  const last = points.length - 1;
  let width = 0;
  for (let index = 1; index < last; index++) {
    const [start, control, end] = [points[index - 1], points[index], points[index + 1]];
    const needed = widthAt(brush, end);
    if (needed !== width) {
      if (width) context.stroke();
      context.beginPath();
      context.lineWidth = width = needed;
      const from = index === 1 ? start : middle(start, control);
      context.moveTo(from.x, from.y);
    }
    const to = middle(control, end);
    context.quadraticCurveTo(control.x, control.y, to.x, to.y);
  }
  if (width) context.stroke();
  const from = last > 1 ? middle(points[last - 1], points[last]) : points[0];
  context.beginPath();
  context.lineWidth = widthAt(brush, points[last]);
  context.moveTo(from.x, from.y);
  // A line of length zero would have no round ends.
  context.lineTo(points[last].x + (from.x === points[last].x ? 0.01 : 0), points[last].y);
  context.stroke();
}

/**
 * Return strokes as text for an address: the differences of the positions, a byte or two each, in base64.
 * A drawing that is too long for an address gives an empty text.
 */
export function encodeStrokes(strokes) {
  const bytes = [];
  const put = (number) => {
    for (; number > 127; number = Math.floor(number / 128)) bytes.push((number % 128) + 128);
    bytes.push(number);
  };
  const putSigned = (number) => put(number < 0 ? -2 * number - 1 : 2 * number);
  let [x, y] = [0, 0];
  for (const { points, brush, erases } of strokes) {
    const hasPressure = points.some((point) => point.pressure !== MOUSE_PRESSURE);
    put(points.length * 4 + (hasPressure ? 2 : 0) + (erases ? 1 : 0));
    put(brush);
    for (const point of points) {
      const [newX, newY] = [point.x * STEPS_PER_PIXEL, point.y * STEPS_PER_PIXEL];
      putSigned(newX - x);
      putSigned(newY - y);
      if (hasPressure) put(point.pressure * PRESSURE_STEPS);
      [x, y] = [newX, newY];
    }
  }
  if (bytes.length > MAX_BYTES) return "";
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Return the strokes in the text of an address; none if it is not such a text, or a damaged one. */
export function decodeStrokes(text) {
  let bytes;
  try {
    bytes = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return [];
  }
  let position = 0;
  const get = () => {
    let [number, factor] = [0, 1];
    for (;;) {
      if (position >= bytes.length || factor > 2 ** 28) throw new RangeError("the drawing is cut off");
      const byte = bytes.charCodeAt(position++);
      number += (byte % 128) * factor;
      if (byte < 128) return number;
      factor *= 128;
    }
  };
  const getSigned = () => {
    const number = get();
    return number % 2 ? -(number + 1) / 2 : number / 2;
  };
  const strokes = [];
  let [x, y] = [0, 0];
  try {
    while (position < bytes.length) {
      const head = get();
      const brush = inRange(get(), BRUSH.min, BRUSH.max);
      const points = [];
      for (let count = Math.floor(head / 4); count > 0; count--) {
        x = inRange(x + getSigned(), 0, CANVAS_SIZE * STEPS_PER_PIXEL);
        y = inRange(y + getSigned(), 0, CANVAS_SIZE * STEPS_PER_PIXEL);
        const pressure = head & 2 ? inRange(get() / PRESSURE_STEPS, 0, 1) : MOUSE_PRESSURE;
        points.push(strokePoint(x / STEPS_PER_PIXEL, y / STEPS_PER_PIXEL, pressure));
      }
      if (points.length) strokes.push({ points, brush, erases: Boolean(head & 1) });
    }
  } catch {
    return [];
  }
  return strokes;
}

/** Half to one and a half times the width of the brush. */
function widthAt(brush, point) {
  return (brush / 100) * DIGIT_HEIGHT * (0.5 + point.pressure);
}

function middle(one, other) {
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}

function inRange(value, low, high) {
  if (value < low || value > high) throw new RangeError("the drawing is damaged");
  return value;
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

function round(value, steps) {
  return Math.round(value * steps) / steps;
}
