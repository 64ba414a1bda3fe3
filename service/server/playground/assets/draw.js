// The tab with the drawing pad and its tools.

import { t } from "./messages.js";
import { Pad, hasInk, pictureOf } from "./pad.js";
import { decodeStrokes, encodeStrokes } from "./strokes.js";

const DIGITS = "0123456789";
// A three, as strokes.js writes it.
const EXAMPLE =
  "fA3mCboIRnlqX4QBP5IBF5IBEogBOG5cTnYkhgEHigExggFZbndQiwEsKA-YASqEAU5oaEaAAR6KAQmMATWEAVl0" +
  "eVqPATqbARadAQ-RATN9U19v";

/** Offers models of digits first, but takes all models of pictures. */
export class DrawTab extends EventTarget {
  id = "draw";
  placeholder = "Draw a digit";
  showsPicture = true;
  #pad;
  #section;

  /** @param {HTMLElement} section */
  constructor(section) {
    super();
    this.#section = section;
    this.#pad = new Pad(section.querySelector("canvas"));
    const part = (name) => section.querySelector(`[data-action=${name}]`);
    const brush = section.querySelector("input[type=range]");
    brush.addEventListener("input", () => this.#setBrush(Number(brush.value)));
    part("eraser").addEventListener("click", () => this.#setEraser(!this.#pad.erases));
    part("undo").addEventListener("click", () => this.#pad.undo());
    part("redo").addEventListener("click", () => this.#pad.redo());
    part("clear").addEventListener("click", () => this.#pad.clear());
    part("example").addEventListener("click", () => this.#pad.show(decodeStrokes(EXAMPLE)));
    this.#pad.addEventListener("change", () => this.#changed("change"));
    this.#pad.addEventListener("settle", () => this.#changed("settle"));
    this.#update();
  }

  accepts(model) {
    return model.task === "image-classification";
  }

  prefers(model) {
    return model.labels.join("") === DIGITS;
  }

  /** Say what a model reads. */
  set model(model) {
    this.placeholder = this.prefers(model) ? "Draw a digit" : "Draw something";
    this.#section.querySelector(".hint p").textContent = t(this.placeholder);
  }

  /** Return the drawing; null if there is no ink. */
  input() {
    return hasInk(this.#pad.strokes) ? { make: () => pictureOf(this.#pad.strokes) } : null;
  }

  /** The content for the address. */
  get content() {
    return encodeStrokes(this.#pad.strokes);
  }

  /** Show the content of an address; return whether it is one. */
  open(text) {
    const strokes = decodeStrokes(text);
    if (strokes.length) this.#pad.show(strokes);
    return strokes.length > 0;
  }

  /** Handle a key that no element has used; return whether it was one of this tab's. */
  key(event) {
    const command = event.ctrlKey || event.metaKey;
    const name = event.key.toLowerCase();
    if (command && name === "z") event.shiftKey ? this.#pad.redo() : this.#pad.undo();
    else if (command && name === "y") this.#pad.redo();
    else if (command || event.altKey) return false;
    else if (name === "e") this.#setEraser(!this.#pad.erases);
    else if (name === "delete" || name === "backspace") this.#pad.clear();
    else return false;
    return true;
  }

  #changed(kind) {
    this.#update();
    this.dispatchEvent(new Event(kind));
  }

  #update() {
    this.#section.classList.toggle("blank", !this.#pad.strokes.length);
    for (const [name, enabled] of [["undo", this.#pad.canUndo], ["redo", this.#pad.canRedo]]) {
      this.#section.querySelector(`[data-action=${name}]`).disabled = !enabled;
    }
  }

  #setEraser(erases) {
    this.#pad.erases = erases;
    this.#section.querySelector("[data-action=eraser]").ariaPressed = String(erases);
  }

  #setBrush(percent) {
    this.#pad.brush = percent;
    this.#section.querySelector("output").textContent = `${percent} %`;
  }
}
