// The bar chart of a prediction's probabilities.

import { create } from "./elements.js";
import { formatPercent, nameOf } from "./messages.js";

/** Most rows of the chart. */
export const MAX_ROWS = 12;

/** A row for each label, or for each digit of a number: label, bar, number. */
export class Bars {
  #list;
  #rows = [];

  /** @param {HTMLElement} list An empty list element. */
  constructor(list) {
    this.#list = list;
  }

  /**
   * Show rows; those without a score are empty.
   *
   * @param {{label: string, score?: number, face?: string, isBest?: boolean}[]} rows The face "sure" or
   *     "unsure" gives the bar its colour.
   * @param {object} options
   * @param {Map<string, number>} options.others Scores of a second model by label, or null.
   * @param {number} options.threshold Best scores below this are unsure; 0 shows no mark.
   */
  show(rows, { others = null, threshold = 0 } = {}) {
    if (rows.length !== this.#rows.length) {
      this.#rows = rows.map((_, index) => this.#rows[index] ?? createRow());
      this.#list.replaceChildren(...this.#rows.map(({ item }) => item));
    }
    this.#list.classList.toggle("marked", threshold > 0);
    this.#list.style.setProperty("--threshold", threshold);
    rows.forEach(({ label, score, face = "", isBest = false }, index) => {
      const row = this.#rows[index];
      row.name.textContent = row.name.title = nameOf(label);
      row.meter.ariaLabel = nameOf(label);
      row.item.dataset.face = face;
      row.item.classList.toggle("best", isBest);
      row.fill.style.setProperty("--score", score ?? 0);
      row.second.hidden = others === null;
      row.second.style.setProperty("--score", others?.get(label) ?? 0);
      const text = score === undefined ? "" : formatPercent(score);
      row.figure.textContent = text;
      row.meter.ariaValueNow = Math.round((score ?? 0) * 1000) / 10;
      row.meter.ariaValueText = text || "–";
    });
  }
}

function createRow() {
  const part = (className, ...children) => create("span", { className }, ...children);
  const [name, fill, second, figure] = ["label", "fill", "second", "figure"].map((kind) => part(kind));
  const meter = part("track", fill, second);
  name.ariaHidden = figure.ariaHidden = "true"; // the meter has both
  meter.setAttribute("role", "meter");
  meter.ariaValueMin = "0";
  meter.ariaValueMax = "100";
  return { item: create("li", {}, name, meter, figure), name, meter, fill, second, figure };
}
