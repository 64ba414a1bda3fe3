// Colours the words of a text by what they contribute to the answer.

import { create } from "./elements.js";
import { formatSigned, nameOf, t } from "./messages.js";

const MAX_LISTED = 8;
const FULL_STRENGTH = 0.5; // The colour of smaller contributions is paler, whatever the largest one is.

/** Paints marks behind an editor, and lists the largest contributions below it. */
export class WordMarks {
  #editor;
  #marks;
  #legend;
  #list;
  #values = []; // for each code point of #text, its part of the contributions
  #text = [];

  /** @param {HTMLElement} section Has the editor, a layer behind it, a legend and a list. */
  constructor(section) {
    this.#editor = section.querySelector("textarea");
    this.#marks = section.querySelector(".marks");
    this.#legend = section.querySelector(".legend");
    this.#list = section.querySelector(".strongest");
    this.#editor.addEventListener("scroll", () => this.#scroll());
  }

  /**
   * Show the contributions to a label.
   *
   * @param {string} text The text that they belong to; the editor may have a newer one.
   * @param {object} contributions As Api.words returns them.
   */
  show(text, { label, words }) {
    this.#text = [...text]; // places are counted in code points
    this.#values = new Array(this.#text.length).fill(0);
    for (const { word, contribution, spans } of words) {
      const share = contribution / word.split(" ").length; // of each word of a phrase
      for (const [start, end] of spans) {
        for (let place = start; place < end; place++) this.#values[place] += share;
      }
    }
    this.follow();
    this.#legend.querySelector(".for").textContent = t("Speaks for {0}", nameOf(label));
    this.#legend.querySelector(".against").textContent = t("Speaks against {0}", nameOf(label));
    this.#legend.hidden = this.#list.hidden = false;
    this.#list.replaceChildren(...words.slice(0, MAX_LISTED).map(createRow));
  }

  /** Move the marks with the words, when the text has changed and the contributions are not there yet. */
  follow() {
    const text = [...this.#editor.value];
    const shorter = Math.min(text.length, this.#text.length);
    let [head, tail] = [0, 0];
    while (head < shorter && text[head] === this.#text[head]) head++;
    while (tail < shorter - head && text.at(-1 - tail) === this.#text.at(-1 - tail)) tail++;
    const changed = new Array(text.length - head - tail).fill(0);
    this.#values = [...this.#values.slice(0, head), ...changed, ...this.#values.slice(this.#values.length - tail)];
    this.#text = text;
    this.#paint();
  }

  clear() {
    this.#text = [];
    this.#values = [];
    this.#marks.replaceChildren();
    this.#list.replaceChildren();
    this.#legend.hidden = this.#list.hidden = true;
  }

  #paint() {
    const parts = [];
    const scale = Math.max(FULL_STRENGTH, ...this.#values.map(Math.abs));
    for (let start = 0, end; start < this.#text.length; start = end) {
      const value = this.#values[start];
      for (end = start + 1; end < this.#text.length && this.#values[end] === value; ) end++;
      parts.push(createMark(this.#text.slice(start, end).join(""), value, scale));
    }
    this.#marks.replaceChildren(...parts, "\n"); // The editor has an empty line after a line break at the end.
    this.#scroll();
  }

  #scroll() {
    this.#marks.scrollTop = this.#editor.scrollTop;
  }
}

function createMark(text, value, scale) {
  if (!value) return document.createTextNode(text);
  const mark = create("mark", { className: value > 0 ? "for" : "against" }, text);
  mark.style.setProperty("--strength", Math.abs(value) / scale);
  return mark;
}

function createRow({ word, contribution }) {
  const number = create("span", {}, formatSigned(contribution));
  return create("li", { className: contribution > 0 ? "for" : "against" }, word, " ", number);
}
