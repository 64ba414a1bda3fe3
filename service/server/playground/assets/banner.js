// The strips over the head of the page: what is wrong with the connection, and notices.

/** Shows one message, with a button that may help. */
export class Banner {
  #strip;
  #text;
  #action = () => {};

  /** @param {HTMLElement} strip */
  constructor(strip) {
    this.#strip = strip;
    this.#text = strip.querySelector("p");
    strip.querySelector("button").addEventListener("click", () => this.#action());
  }

  /** Show a message; the button calls the action. */
  show(text, action = () => this.hide()) {
    this.#action = action;
    if (this.#text.textContent !== text) this.#text.textContent = text; // a screen reader speaks each change
    this.#strip.hidden = false;
  }

  hide() {
    this.#strip.hidden = true;
    this.#text.textContent = "";
  }
}
