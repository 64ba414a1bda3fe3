// Draws where the evidence for a label is, over the picture that the network reads.

import { formatSigned, nameOf, t } from "./messages.js";
import { PictureUrl } from "./picture_url.js";

const MAX_ALPHA = 0.8;

/** Paints the heat of the places of a picture: one colour for the label, one against it. */
export class HeatMap {
  #figure;
  #canvas;
  #input;

  /** @param {HTMLElement} figure Has a picture, a canvas above it, a scale and a caption. */
  constructor(figure) {
    this.#figure = figure;
    this.#canvas = figure.querySelector("canvas");
    this.#input = new PictureUrl(figure.querySelector("img"));
  }

  showInput(file) {
    this.#input.show(file);
  }

  /** Show the heat of a label, as Api.heat returns it. */
  show({ label, values }) {
    const [height, width] = [values.length, values[0].length];
    const flat = values.flat();
    const largest = Math.max(...flat.map(Math.abs));
    const colors = { true: token("--heat-for"), false: token("--heat-against") };
    const pixels = new ImageData(width, height);
    flat.forEach((value, index) => {
      const alpha = largest ? (Math.abs(value) / largest) * MAX_ALPHA * 255 : 0;
      pixels.data.set([...colors[value > 0], alpha], 4 * index);
    });
    // The browser enlarges it smoothly.
    [this.#canvas.width, this.#canvas.height] = [width, height];
    this.#canvas.getContext("2d").putImageData(pixels, 0, 0);
    const hasHeat = flat.some((value) => value > 0);
    const caption = hasHeat
      ? t("What speaks for {0}, and against it", nameOf(label))
      : t("No place speaks for {0}.", nameOf(label));
    this.#figure.querySelector("figcaption").textContent = caption;
    this.#canvas.ariaLabel = caption;
    const [low, high] = this.#figure.querySelectorAll(".scale span");
    low.textContent = formatSigned(-largest);
    high.textContent = formatSigned(largest);
    this.#figure.classList.remove("empty");
  }

  clear() {
    this.#figure.classList.add("empty");
    this.#figure.querySelector("figcaption").textContent = "";
    this.#canvas.getContext("2d").clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }
}

/** Return a colour of tokens.css as red, green and blue, 0 to 255. */
function token(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((start) => parseInt(text.slice(start, start + 2), 16));
}
