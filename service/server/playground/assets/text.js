// The tab that classifies a text while it is written, and colours its words.

import { NewestWins } from "./newest.js";
import { WordMarks } from "./word_marks.js";

const SETTLE_MS = 600; // After a pause this long, the text counts as complete.
const EXAMPLE =
  "The first half hour is slow, and the music is not good. But then the story takes off: wonderful acting, " +
  "a moving and beautiful ending, and one of the best scenes that I have seen this year. I loved it.";

/** An editor for a text, whose words have the colours of what they contribute to the answer. */
export class TextTab extends EventTarget {
  id = "text";
  placeholder = "Write a review";
  showsPicture = false;
  #editor;
  #marks;
  #words;
  #timer = 0;

  /**
   * @param {HTMLElement} section
   * @param {Api} api Explains the predictions.
   */
  constructor(section, api) {
    super();
    this.#marks = new WordMarks(section);
    this.#words = new NewestWins(({ model, content, label }, signal) => api.words(model, content, label, signal), {
      onResult: (contributions, { content }) => this.#marks.show(content, contributions),
      onError: (error) => error.isTemporary || this.#marks.clear(),
    });
    this.#editor = section.querySelector("textarea");
    this.#editor.addEventListener("input", () => this.#changed());
    section.querySelector("[data-action=clear]").addEventListener("click", () => this.open(""));
    section.querySelector("[data-action=example]").addEventListener("click", () => this.open(EXAMPLE));
  }

  accepts(model) {
    return model.task === "text-classification";
  }

  /** Return the text; null if it is empty or white space. */
  input() {
    const text = this.#editor.value;
    return text.trim() ? { make: () => text } : null;
  }

  /** Explain a prediction for an input of this tab; null if there is none any more. */
  explain(prediction, input) {
    if (prediction) return this.#words.put({ ...input, label: prediction.scores[0].label });
    this.#words.cancel();
    this.#marks.clear();
  }

  /** The content for the address. */
  get content() {
    return this.#editor.value;
  }

  /** Show the content of an address; return whether it is one, which all texts are. */
  open(text) {
    this.#editor.value = text;
    this.#marks.follow();
    clearTimeout(this.#timer);
    this.dispatchEvent(new Event("change"));
    this.dispatchEvent(new Event("settle"));
    return true;
  }

  #changed() {
    this.#marks.follow();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.dispatchEvent(new Event("settle")), SETTLE_MS);
    this.dispatchEvent(new Event("change"));
  }
}
