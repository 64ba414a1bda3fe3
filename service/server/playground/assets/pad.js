// The drawing pad: a canvas for mouse, pen, fingers and keyboard.

import { BRUSH, CANVAS_SIZE, paintBackground, paintStrokes, strokePoint } from "./strokes.js";

const UNDO_LIMIT = 100;
const MAX_SIDE = 2048; // of the visible canvas in device pixels
const KEY_STEP = CANVAS_SIZE / 28;
const ERASER_BUTTON = 32; // in PointerEvent.buttons
const ARROWS = {
  ArrowLeft: [-KEY_STEP, 0],
  ArrowRight: [KEY_STEP, 0],
  ArrowUp: [0, -KEY_STEP],
  ArrowDown: [0, KEY_STEP],
};

/**
 * Turns pointer and key events into strokes.
 *
 * Sends the events "change" (the drawing looks different) and "settle" (a stroke ended, or was undone or
 * redone, or all were replaced).
 */
export class Pad extends EventTarget {
  #canvas;
  #context;
  #finished = document.createElement("canvas"); // the strokes that have ended, at the size of the screen
  #drawing = []; // these strokes; the array is replaced, never changed
  #stroke = null; // the one that is being drawn
  #pointer = null; // the id of the pointer that draws it
  #undo = [];
  #redo = [];
  #crosshair = null;
  #frame = 0;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    super();
    this.brush = BRUSH.initial;
    this.erases = false;
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    canvas.addEventListener("pointerup", (event) => this.#up(event));
    canvas.addEventListener("pointercancel", (event) => this.#up(event));
    canvas.addEventListener("contextmenu", (event) => event.preventDefault()); // of a long touch
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#leave());
    canvas.addEventListener("focus", () => this.#paintSoon());
    new ResizeObserver(() => this.#resize()).observe(canvas);
    this.#resize();
  }

  /** The strokes, with the one that is being drawn. */
  get strokes() {
    return this.#stroke ? [...this.#drawing, this.#stroke] : this.#drawing;
  }

  get canUndo() {
    return this.#undo.length > 0 || this.#stroke !== null;
  }

  get canRedo() {
    return this.#redo.length > 0;
  }

  /** Remove all strokes; can be undone. */
  clear() {
    this.#endStroke();
    if (this.#drawing.length) this.show([]);
  }

  /** Replace the drawing; can be undone. */
  show(strokes) {
    this.#undo.push(this.#drawing);
    if (this.#undo.length > UNDO_LIMIT) this.#undo.shift();
    this.#redo = [];
    this.#set(strokes);
  }

  /** Undo the last step; a stroke that is being drawn ends first. */
  undo() {
    this.#endStroke();
    if (!this.#undo.length) return;
    this.#redo.push(this.#drawing);
    this.#set(this.#undo.pop());
  }

  /** Redo the last undone step. */
  redo() {
    this.#endStroke();
    if (!this.#redo.length) return;
    this.#undo.push(this.#drawing);
    this.#set(this.#redo.pop());
  }

  #set(strokes) {
    this.#drawing = strokes;
    this.#paintFinished();
    this.#paintSoon();
    this.#send("change");
    this.#send("settle");
  }

  #send(name) {
    this.dispatchEvent(new Event(name));
  }

  #down(event) {
    if (event.pointerType === "touch" && this.#pointer !== null) {
      // A second finger: what the first one has drawn was the beginning of this gesture.
      this.#stroke = null;
      this.#pointer = null;
      this.clear();
      this.#paintSoon();
      return;
    }
    if (this.#pointer !== null || (event.pointerType !== "touch" && event.button !== 0 && event.button !== 5)) return;
    // The focus is for the keyboard; a pointer must not scroll the pad into view.
    this.#canvas.focus({ preventScroll: true });
    this.#canvas.classList.add("by-pointer");
    event.preventDefault();
    this.#crosshair = null;
    this.#pointer = event.pointerId;
    try {
      this.#canvas.setPointerCapture(event.pointerId);
    } catch {
      // The pointer is gone already.
    }
    this.#beginStroke(this.#point(event), this.erases || Boolean(event.buttons & ERASER_BUTTON));
  }

  #move(event) {
    if (event.pointerId !== this.#pointer || !this.#stroke) return;
    // Browsers offer the events between two frames only to pages that came over TLS or from this machine.
    const between = event.getCoalescedEvents?.() ?? [];
    for (const one of between.length ? between : [event]) this.#extendStroke(this.#point(one));
    this.#send("change");
  }

  #up(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#endStroke();
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = ARROWS[event.key];
    this.#canvas.classList.remove("by-pointer");
    if (step) {
      const from = this.#crosshair ?? strokePoint(CANVAS_SIZE / 2, CANVAS_SIZE / 2);
      this.#crosshair = strokePoint(from.x + step[0], from.y + step[1]);
      if (this.#stroke) {
        this.#extendStroke(this.#crosshair);
        this.#send("change");
      }
    } else if (event.key === " ") {
      if (event.repeat) return event.preventDefault();
      this.#crosshair ??= strokePoint(CANVAS_SIZE / 2, CANVAS_SIZE / 2);
      if (this.#stroke) this.#endStroke();
      else this.#beginStroke(this.#crosshair, this.erases);
    } else {
      return;
    }
    event.preventDefault();
    this.#paintSoon();
  }

  #leave() {
    // The keys now go elsewhere.
    this.#canvas.classList.remove("by-pointer");
    if (this.#crosshair) this.#endStroke();
    this.#crosshair = null;
    this.#paintSoon();
  }

  #point(event) {
    const box = this.#canvas.getBoundingClientRect();
    const scale = CANVAS_SIZE / box.width;
    const pressure = event.pointerType === "pen" && event.pressure ? event.pressure : undefined;
    return strokePoint((event.clientX - box.left) * scale, (event.clientY - box.top) * scale, pressure);
  }

  #beginStroke(point, erases) {
    this.#stroke = { points: [point], brush: this.brush, erases };
    this.#paintSoon();
    this.#send("change");
  }

  #extendStroke(point) {
    const { points } = this.#stroke;
    const last = points[points.length - 1];
    if (point.x === last.x && point.y === last.y) return;
    points.push(point);
    this.#paintSoon();
  }

  #endStroke() {
    if (!this.#stroke) return;
    const stroke = this.#stroke;
    this.#stroke = null;
    this.#pointer = null;
    this.show([...this.#drawing, stroke]);
  }

  #resize() {
    const box = this.#canvas.getBoundingClientRect();
    const side = Math.min(Math.round(box.width * devicePixelRatio), MAX_SIDE) || CANVAS_SIZE;
    if (side === this.#canvas.width && side === this.#canvas.height) return;
    for (const canvas of [this.#canvas, this.#finished]) canvas.width = canvas.height = side;
    this.#paintFinished();
    this.#paint();
  }

  #paintFinished() {
    const context = this.#finished.getContext("2d", { alpha: false });
    const scale = this.#finished.width / CANVAS_SIZE;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    paintBackground(context);
    paintStrokes(context, this.#drawing);
  }

  #paintSoon() {
    this.#frame ||= requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    this.#frame = 0;
    const context = this.#context;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.drawImage(this.#finished, 0, 0);
    const scale = this.#canvas.width / CANVAS_SIZE;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    if (this.#stroke) paintStrokes(context, [this.#stroke]);
    if (this.#crosshair && document.activeElement === this.#canvas) paintCrosshair(context, this.#crosshair);
  }
}

const picture = document.createElement("canvas");
picture.width = picture.height = CANVAS_SIZE;

/** Return strokes as a PNG file: white ink on black, CANVAS_SIZE pixels square. */
export function pictureOf(strokes) {
  const context = picture.getContext("2d", { alpha: false, willReadFrequently: true });
  paintBackground(context);
  paintStrokes(context, strokes);
  return new Promise((resolve) => picture.toBlob(resolve, "image/png"));
}

/** Return whether strokes leave any ink. */
export function hasInk(strokes) {
  return strokes.some((stroke) => !stroke.erases);
}

function paintCrosshair(context, { x, y }) {
  for (const [color, width] of [["#000", 5], ["#fff", 2]]) {
    context.strokeStyle = color;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x - 12, y);
    context.lineTo(x + 12, y);
    context.moveTo(x, y - 12);
    context.lineTo(x, y + 12);
    context.stroke();
  }
}
