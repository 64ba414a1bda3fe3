// The bar chart of a prediction's probabilities.

import { formatPercent } from "./messages.js";

const MAX_ROWS = 12;

/** A row for each label: label, bar, number. Of many labels, only the best have a row. */
export class Bars {
  #list;
  #rows = new Map(); // by label

  /** @param {HTMLElement} list An empty list element. */
  constructor(list) {
    this.#list = list;
  }

  /**
   * Show a prediction; an empty list of scores empties the bars.
   *
   * @param {string[]} labels The labels in the order of the rows.
   * @param {{label: string, score: number}[]} scores Best first.
   * @param {object} options
   * @param {{label: string, score: number}[]} options.others Scores of a second model, or null.
   * @param {number} options.threshold Best scores below this are unsure.
   * @param {"sure"|"unsure"|"unknown"|"none"} options.face
   */
  show(labels, scores, { others = null, threshold = 0, face = "none" }) {
    const shown = labels.length <= MAX_ROWS ? labels : scores.slice(0, MAX_ROWS).map(({ label }) => label);
    this.#arrange(shown);
    this.#list.dataset.face = face;
    this.#list.style.setProperty("--threshold", threshold);
    const first = new Map(scores.map(({ label, score }) => [label, score]));
    const second = new Map((others ?? []).map(({ label, score }) => [label, score]));
    for (const [label, row] of this.#rows) {
      const score = first.get(label);
      row.item.classList.toggle("best", label === scores[0]?.label);
      row.fill.style.setProperty("--score", score ?? 0);
      row.second.hidden = others === null;
      row.second.style.setProperty("--score", second.get(label) ?? 0);
      const text = score === undefined ? "" : formatPercent(score);
      row.figure.textContent = text;
      row.meter.setAttribute("aria-valuenow", Math.round((score ?? 0) * 1000) / 10);
      row.meter.setAttribute("aria-valuetext", text || "–");
    }
  }

  #arrange(labels) {
    if (labels.length === this.#rows.size && [...this.#rows.keys()].every((label, i) => label === labels[i])) return;
    const rows = labels.map((label) => [label, this.#rows.get(label) ?? createRow(label)]);
    this.#rows = new Map(rows);
    this.#list.replaceChildren(...rows.map(([, row]) => row.item));
  }
}

function createRow(label) {
  const item = document.createElement("li");
  const [name, meter, fill, second, figure] = ["label", "track", "fill", "second", "figure"].map((kind) => {
    const part = document.createElement("span");
    part.className = kind;
    return part;
  });
  name.textContent = name.title = label;
  name.ariaHidden = figure.ariaHidden = "true"; // the meter has both
  meter.setAttribute("role", "meter");
  meter.setAttribute("aria-label", label);
  meter.setAttribute("aria-valuemin", "0");
  meter.setAttribute("aria-valuemax", "100");
  meter.append(fill, second);
  item.append(name, meter, figure);
  return { item, meter, fill, second, figure };
}
