// Shows one feature map large, beside the picture over which its kernel moves.

import { create } from "./elements.js";
import { formatSigned, t } from "./messages.js";
import { PictureUrl } from "./picture_url.js";

const STEP_MS = 60;
const ARROWS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/** One feature map; the place under the pointer is written out. */
export class FeatureMapView {
  #panel;
  #canvas;
  #frame;
  #sum;
  #play;
  #input;
  #pixels = null; // ImageData of the picture that the network reads
  #map = null; // {values, kernel}
  #place = [0, 0]; // row and column of the map
  #timer = 0;
  /** Layer and number of the map that is wanted; null for none. */
  selected = null;

  /** @param {HTMLElement} panel */
  constructor(panel) {
    this.#panel = panel;
    this.#canvas = panel.querySelector("canvas");
    this.#frame = panel.querySelector(".window");
    this.#sum = panel.querySelector(".sum");
    this.#play = panel.querySelector("[data-action=play]");
    this.#input = new PictureUrl(panel.querySelector("img"));
    this.#canvas.addEventListener("pointermove", (event) => this.#point(event));
    this.#canvas.addEventListener("pointerdown", (event) => this.#point(event));
    this.#canvas.addEventListener("keydown", (event) => this.#key(event));
    this.#play.addEventListener("click", () => (this.#timer ? this.#pause() : this.#start()));
  }

  async showInput(file) {
    this.#input.show(file);
    this.#pixels = file && (await readPixels(file));
    this.#moveTo(...this.#place);
  }

  /** Say which map is wanted; its values are shown when they arrive. */
  select(layer, map) {
    this.selected = { layer, map };
    this.#panel.querySelector("h2").textContent = t("Feature map {0} of {1}", map + 1, layer);
    this.#panel.hidden = false;
    this.#place = [0, 0];
  }

  /** Show a map, as Api.featureMap returns it. */
  show({ values, kernel }) {
    this.#map = { values, kernel };
    const [height, width] = [values.length, values[0].length];
    const flat = values.flat();
    const low = Math.min(...flat);
    const spread = Math.max(...flat) - low || 1;
    const pixels = new ImageData(width, height);
    flat.forEach((value, index) => {
      const level = ((value - low) / spread) * 255;
      pixels.data.set([level, level, level, 255], 4 * index);
    });
    [this.#canvas.width, this.#canvas.height] = [width, height];
    this.#canvas.getContext("2d").putImageData(pixels, 0, 0);
    this.#play.hidden = !kernel;
    this.#frame.replaceChildren(...createCells(kernel));
    this.#frame.style.setProperty("--columns", kernel?.weights[0].length ?? 1);
    this.#moveTo(...this.#place);
  }

  clear() {
    this.#pause();
    this.#map = null;
    this.#sum.textContent = "";
    this.#frame.hidden = true;
    this.#canvas.getContext("2d").clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  close() {
    this.clear();
    this.selected = null;
    this.#panel.hidden = true;
  }

  #start() {
    this.#play.textContent = t("Pause");
    this.#timer = setInterval(() => {
      if (!this.#map) return;
      const [height, width] = [this.#map.values.length, this.#map.values[0].length];
      const next = (this.#place[0] * width + this.#place[1] + 1) % (height * width);
      this.#moveTo(Math.floor(next / width), next % width);
    }, STEP_MS);
  }

  #pause() {
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#play.textContent = t("Move the kernel");
  }

  #point(event) {
    if (!this.#map) return;
    this.#pause();
    const box = this.#canvas.getBoundingClientRect();
    const row = Math.floor(((event.clientY - box.top) / box.height) * this.#canvas.height);
    this.#moveTo(row, Math.floor(((event.clientX - box.left) / box.width) * this.#canvas.width));
  }

  #key(event) {
    const step = ARROWS[event.key];
    if (!step || !this.#map) return;
    event.preventDefault();
    event.stopPropagation();
    this.#pause();
    this.#moveTo(this.#place[0] + step[0], this.#place[1] + step[1]);
  }

  #moveTo(row, column) {
    if (!this.#map) return;
    const { values, kernel } = this.#map;
    row = Math.min(Math.max(row, 0), values.length - 1);
    column = Math.min(Math.max(column, 0), values[0].length - 1);
    this.#place = [row, column];
    const share = (size, count) => `${(size / count) * 100}%`;
    const marker = this.#panel.querySelector(".place");
    marker.style.setProperty("--left", share(column, values[0].length));
    marker.style.setProperty("--top", share(row, values.length));
    marker.style.setProperty("--size", share(1, values.length));
    this.#frame.hidden = !this.#pixels;
    if (!this.#pixels) return;
    const { width, height } = this.#pixels;
    const [top, left] = kernel
      ? [row * kernel.stride[0] - kernel.padding[0], column * kernel.stride[1] - kernel.padding[1]]
      : [(row / values.length) * height, (column / values[0].length) * width];
    const size = kernel ? kernel.weights.length : height / values.length;
    this.#frame.style.setProperty("--left", share(left, width));
    this.#frame.style.setProperty("--top", share(top, height));
    this.#frame.style.setProperty("--size", share(size, height));
    const sum = kernel ? this.#writeSum(kernel, { top, left }) : [];
    this.#sum.replaceChildren(...sum, this.#writeValue(values[row][column], kernel));
  }

  /** Return a line for each row of the kernel, with the products of weights and pixels, and the sum. */
  #writeSum({ weights }, { top, left }) {
    let sum = 0;
    const lines = weights.map((row, y) => {
      const terms = row.map((weight, x) => {
        const level = this.#levelAt(top + y, left + x);
        sum += weight * level;
        return `${formatSigned(weight)} · ${level}`;
      });
      return createLine(terms.join("  "));
    });
    return [...lines, createLine(`= ${formatSigned(sum)}`)];
  }

  #writeValue(value, kernel) {
    return createLine(
      kernel
        ? t("After scale, bias and activation function: {0}", formatSigned(value))
        : t("Value: {0}. The frame is its place in the picture.", formatSigned(value)),
    );
  }

  #levelAt(row, column) {
    const { width, height, data } = this.#pixels;
    return row < 0 || column < 0 || row >= height || column >= width ? 0 : data[4 * (row * width + column)];
  }
}

function createLine(text) {
  return create("span", {}, text);
}

/** Return a cell for each weight, in its colour. */
function createCells(kernel) {
  if (!kernel) return [];
  const flat = kernel.weights.flat();
  const largest = Math.max(...flat.map(Math.abs)) || 1;
  return flat.map((weight) => {
    const cell = create("span", { className: weight > 0 ? "for" : "against" });
    cell.style.setProperty("--strength", Math.abs(weight) / largest);
    return cell;
  });
}

async function readPixels(file) {
  const bitmap = await createImageBitmap(file);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return context.getImageData(0, 0, canvas.width, canvas.height);
}
