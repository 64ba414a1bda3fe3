// The strip above the page that says what is wrong with the connection.

/** Shows one message, with a button that may help. */
export class Banner {
  #strip;
  #button;
  #action = () => {};

  /** @param {HTMLElement} strip */
  constructor(strip) {
    this.#strip = strip;
    this.#button = strip.querySelector("button");
    this.#button.addEventListener("click", () => this.#action());
  }

  /** Show a message; the button calls the action. */
  show(text, action) {
    this.#action = action;
    const paragraph = this.#strip.querySelector("p");
    if (paragraph.textContent !== text) paragraph.textContent = text; // a screen reader speaks each change
    this.#strip.hidden = false;
  }

  hide() {
    this.#strip.hidden = true;
    this.#strip.querySelector("p").textContent = "";
  }
}
