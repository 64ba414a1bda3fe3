// The panel with the answer: label, doubt, bars, and the network's input.

import { Bars, MAX_ROWS } from "./bars.js";
import { errorMessage, formatMs, formatPercent, formatQuestion, nameOf, t } from "./messages.js";
import { PictureUrl } from "./picture_url.js";

const CONFIDENCE = 0.9;
const MAX_NAMED = 3;
const SHORT_LINE = 8; // Digits that fit beside the other parts of the answer.

/**
 * Return how sure an answer is, and the labels to name.
 *
 * An unsure answer names the smallest set of labels that together have 90 % of the probability, two at
 * least. If that takes more than three labels, the network knows nothing like the input. If the digits of a
 * number were read, its lines are named.
 */
export function judge({ scores, isUnsure, reading }) {
  if (reading) return { face: reading.digits.some(({ unsure }) => unsure) ? "unsure" : "sure", labels: reading.lines };
  if (!isUnsure) return { face: "sure", labels: [scores[0].label] };
  let [count, sum] = [0, 0];
  while (count < scores.length && (sum < CONFIDENCE || count < 2)) sum += scores[count++].score;
  const labels = scores.slice(0, count).map(({ label }) => label);
  return { face: count > MAX_NAMED ? "unknown" : "unsure", labels };
}

/** Return what a headline says of a prediction. */
export function headlineOf(prediction) {
  const { face, labels } = judge(prediction);
  if (prediction.reading) return labels.join(" ");
  if (face === "unknown") return t("Looks like nothing I know");
  return face === "unsure" ? formatQuestion(labels) : nameOf(labels[0]);
}

/** Return whether one of two predictions, which may be null, reads a number. */
export function isNumber(...predictions) {
  return predictions.some((prediction) => prediction?.reading);
}

/** Return a sentence about an answer that says more than its percentage; null if there is none. */
function explain({ reason, reading, refusal }, isSettled) {
  if (reading) return describeBars(reading);
  if (refusal) return errorMessage(refusal);
  // The first points of every stroke are a dot.
  if (reason !== "stroke_too_thick" || !isSettled) return null;
  return t("Lines too thick for this size. Draw larger or thinner.");
}

/**
 * Return the rows of the bars, for Bars.show: of the digits of a number, or else of the labels.
 *
 * Of many digits, those that are least sure have a row; of many labels, the best.
 */
export function rowsOf(prediction, labels) {
  const { scores, reading } = prediction;
  if (reading) {
    const rows = reading.digits.map(({ label, score, unsure }) => ({ label, score, face: unsure ? "unsure" : "sure" }));
    const shown = new Set([...rows].sort((one, other) => one.score - other.score).slice(0, MAX_ROWS));
    return rows.filter((row) => shown.has(row));
  }
  const { face } = judge(prediction);
  const rows = scores.map((row, index) => (index ? row : { ...row, face, isBest: true }));
  if (labels.length > MAX_ROWS) return rows.slice(0, MAX_ROWS);
  return labels.map((label) => rows.find((row) => row.label === label) ?? { label });
}

/** Shows one answer at a time. */
export class Answer {
  #bars;
  #headline;
  #detail;
  #panel;
  #figure;
  #view;
  #duration;
  #status;

  /** @param {HTMLElement} panel The element with the parts. */
  constructor(panel) {
    this.#panel = panel;
    this.#bars = new Bars(panel.querySelector(".bars"));
    this.#headline = panel.querySelector(".headline");
    this.#detail = panel.querySelector(".detail");
    this.#figure = panel.querySelector("figure");
    this.#view = new PictureUrl(panel.querySelector("figure img"));
    this.#duration = panel.querySelector(".duration");
    this.#status = panel.querySelector("[role=status]");
  }

  /**
   * Show a prediction.
   *
   * @param {object} prediction As Api.predict returns it.
   * @param {object} options
   * @param {string[]} options.labels Of the model.
   * @param {number} options.threshold The card's `unsure_below`.
   * @param {object} options.compared A prediction of another version, with its `version`, or null.
   * @param {boolean} options.isSettled Whether a screen reader should speak it.
   */
  show(prediction, { labels, threshold, compared, isSettled }) {
    const { face } = judge(prediction);
    const percent = formatPercent(prediction.scores[0].score);
    const headline = headlineOf(prediction);
    const sentence = explain(prediction, isSettled);
    const details = [sentence ?? (face === "sure" ? percent : t("Unsure: {0} at most", percent))];
    // The digits of two numbers may not be the same marks: they have no bars side by side.
    const hasNumber = isNumber(prediction, compared);
    if (compared && hasNumber) details.push(t("Version {0}: {1}", compared.version, headlineOf(compared)));
    this.#setTexts(face, headline, details.join("\n"));
    const isLong = prediction.reading?.lines.some((line) => line.length > SHORT_LINE);
    if (isLong) this.#panel.classList.add("number");
    if (sentence) this.#detail.dataset.face = "number"; // not a percentage
    const others = compared && !hasNumber ? new Map(compared.scores.map(({ label, score }) => [label, score])) : null;
    this.#bars.show(rowsOf(prediction, labels), { others, threshold });
    const certain = prediction.reading ? headline : `${headline}, ${percent}`;
    if (isSettled) this.#status.textContent = face === "unsure" ? t("Unsure: {0}", headline) : certain;
  }

  /** What the headline and the line below it say. */
  get texts() {
    return { headline: this.#headline.textContent, detail: this.#detail.textContent };
  }

  /** Show how long the answer took, from the change of the input to here. */
  showDuration({ totalMs, serverMs }) {
    this.#duration.textContent = t("{0}, server {1}", formatMs(totalMs), formatMs(serverMs));
    this.#duration.dataset.ms = totalMs.toFixed(1);
  }

  /** Show that there is no answer yet for the present input; an older answer is greyed. */
  showPending() {
    if (!this.#headline.textContent) this.#setTexts("none", "", t("Reading…"));
    else this.#panel.classList.add("stale");
  }

  /** Show an empty answer with what to do. */
  showPlaceholder(text, labels) {
    this.#setTexts("none", "", text);
    this.#showEmptyBars(labels);
    this.#duration.textContent = "";
    this.#status.textContent = "";
  }

  /** Show why there is no answer. */
  showError(error, labels) {
    const message = errorMessage(error);
    this.#setTexts("refused", "", message);
    this.#showEmptyBars(labels);
    this.#duration.textContent = "";
    this.#status.textContent = message;
  }

  /** Show what preprocessing makes of a picture (a Blob); null hides the view. */
  showNetworkInput(file) {
    this.#figure.classList.toggle("empty", !file);
    this.#view.show(file);
  }

  #showEmptyBars(labels) {
    this.#bars.show(labels.slice(0, MAX_ROWS).map((label) => ({ label })));
  }

  #setTexts(face, headline, detail) {
    this.#panel.classList.remove("stale", "number");
    this.#headline.dataset.face = this.#detail.dataset.face = face;
    this.#headline.classList.toggle("short", headline.length <= 2);
    this.#headline.textContent = headline;
    this.#detail.textContent = detail;
  }
}

function describeBars({ digits: { length } }) {
  return length > MAX_ROWS
    ? t("The bars are for the {0} least sure of {1} digits.", MAX_ROWS, length)
    : t("Several digits. Each has its bar.");
}
