// The tab of picture files: dropped, pasted, chosen, taken with the camera, or examples.

import { formatPercent, t } from "./messages.js";
import { filesOf, readPicture } from "./picture_files.js";

const MAX_PICTURES = 60;
const PARALLEL = 2;
const TINY_SIDE = 64;
// Each is offered for the models that have its label.
const EXAMPLES = [
  { file: "eight.png", label: "8" },
  { file: "ankle_boot.png", label: "Ankle boot" },
  { file: "trouser.png", label: "Trouser" },
  { file: "cat.jpg", label: "cat" },
  { file: "dog.jpg", label: "dog" },
  { file: "horse.png", label: "horse" },
  { file: "ship.png", label: "ship" },
];

/** Shows one picture large and all as tiles, and predicts all of them. */
export class PicturesTab extends EventTarget {
  id = "pictures";
  placeholder = "Open a picture";
  showsPicture = true;
  #section;
  #api;
  #onError;
  #list;
  #view;
  #notice;
  #examples;
  #tiles = [];
  #current = null;
  #model = null;
  #waiting = [];
  #running = 0;
  #predictions = new AbortController(); // of the tiles, for the present model

  /**
   * @param {HTMLElement} section
   * @param {Api} api Predicts the tiles.
   */
  constructor(section, api) {
    super();
    this.#section = section;
    this.#api = api;
    this.#list = section.querySelector(".tiles");
    this.#view = section.querySelector(".view");
    this.#notice = section.querySelector(".notice");
    this.#examples = section.querySelector(".examples");
    for (const input of section.querySelectorAll("input[type=file]")) {
      input.addEventListener("change", () => {
        this.add([...input.files]);
        input.value = ""; // so that the same file can be chosen again
      });
    }
    section.querySelector("[data-action=clear]").addEventListener("click", () => this.#clear());
    // The pixels of a picture for the small networks are to be seen as such.
    this.#view.addEventListener("load", () => {
      this.#view.classList.toggle("tiny", Math.max(this.#view.naturalWidth, this.#view.naturalHeight) <= TINY_SIDE);
    });
    this.#update();
  }

  accepts(model) {
    return model.task === "image-classification";
  }

  prefers() {
    return false;
  }

  /** Return the current picture; null if there is none. */
  input() {
    const tile = this.#current;
    return tile ? { make: () => tile.file } : null;
  }

  /** The content for the address: the name of the current example; other pictures do not fit into one. */
  get content() {
    return this.#current?.example ?? "";
  }

  set content(file) {
    if (EXAMPLES.some((example) => example.file === file)) this.#addExample(file);
  }

  /** Use a model for the tiles, and offer its examples. */
  set model(model) {
    this.#model = model;
    this.#offerExamples();
    this.#predictions.abort();
    this.#predictions = new AbortController();
    this.#running = 0;
    this.#waiting = [];
    for (const tile of this.#tiles) this.#predict(tile);
  }

  /** Take the pictures of a drop or of the clipboard. */
  take(data) {
    const { files, problem } = filesOf(data);
    this.#say(problem);
    if (files.length) this.add(files);
  }

  /** Add files, and select the first of them; an example has its name. */
  async add(files, example = "") {
    const free = MAX_PICTURES - this.#tiles.length;
    this.#say(files.length > free ? "Only the first {0} pictures were loaded." : "", MAX_PICTURES);
    let isFirst = true;
    for (const original of files.slice(0, Math.max(free, 0))) {
      const { file, thumbnail } = await readPicture(original); // one after the other, to save memory
      const tile = this.#createTile(original.name || t("Picture"), file, thumbnail, example);
      if (isFirst) this.#select(tile);
      isFirst = false;
      this.#predict(tile);
    }
  }

  /** Handle a key that no element has used; return whether it was one of this tab's. */
  key() {
    return false;
  }

  #createTile(name, file, thumbnail, example) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "tile";
    const label = document.createElement("span");
    const image = document.createElement("img");
    image.alt = "";
    const tile = { name, file, example, button, label, image, url: URL.createObjectURL(file), thumbnailUrl: "" };
    tile.thumbnailUrl = thumbnail ? URL.createObjectURL(thumbnail) : "";
    if (thumbnail) image.src = tile.thumbnailUrl;
    button.append(image, label);
    button.addEventListener("click", () => this.#select(tile));
    this.#label(tile, "…", "");
    this.#tiles.push(tile);
    const item = document.createElement("li");
    item.append(button);
    this.#list.append(item);
    this.#update();
    return tile;
  }

  #select(tile) {
    this.#current = tile;
    for (const one of this.#tiles) one.button.ariaPressed = String(one === tile);
    if (tile) {
      this.#view.src = tile.url;
      this.#view.alt = tile.name;
    } else {
      this.#view.removeAttribute("src");
    }
    this.#update();
    this.dispatchEvent(new Event("settle"));
  }

  #clear() {
    for (const tile of this.#tiles) {
      URL.revokeObjectURL(tile.url);
      if (tile.thumbnailUrl) URL.revokeObjectURL(tile.thumbnailUrl);
    }
    this.#tiles = [];
    this.#waiting = [];
    this.#list.replaceChildren();
    this.#say("");
    this.#select(null);
  }

  #predict(tile) {
    if (!this.#model) return;
    this.#waiting.push(tile);
    this.#predictNext();
  }

  async #predictNext() {
    if (this.#running >= PARALLEL || !this.#waiting.length) return;
    const tile = this.#waiting.shift();
    const { signal } = this.#predictions;
    this.#running++;
    try {
      const { scores, isUnsure } = await this.#api.predict(this.#model, tile.file, signal);
      this.#label(tile, scores[0].label, `${scores[0].label}, ${formatPercent(scores[0].score)}`, isUnsure);
    } catch (error) {
      if (signal.aborted) return;
      if (error.isTemporary) {
        const pauseMs = Math.max(error.retryAfterS, 1) * 1_000;
        setTimeout(() => !signal.aborted && this.#tiles.includes(tile) && this.#predict(tile), pauseMs);
      } else {
        this.#label(tile, t("Error"), error.message);
      }
    }
    if (signal.aborted) return; // the counter is that of another model now
    this.#running--;
    this.#predictNext();
  }

  #label(tile, text, description, isUnsure = false) {
    tile.label.textContent = text;
    tile.button.classList.toggle("unsure", isUnsure);
    const doubt = isUnsure ? `, ${t("Unsure")}` : "";
    tile.button.ariaLabel = tile.button.title = description ? `${tile.name}: ${description}${doubt}` : tile.name;
  }

  #offerExamples() {
    const fitting = EXAMPLES.filter(({ label }) => this.#model?.labels.includes(label));
    const buttons = (fitting.length ? fitting : EXAMPLES).map(({ file, label }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "example";
      button.ariaLabel = button.title = t("Example: {0}", label);
      const image = document.createElement("img");
      image.alt = "";
      image.src = exampleAddress(file);
      button.append(image);
      button.addEventListener("click", () => this.#addExample(file));
      return button;
    });
    this.#examples.replaceChildren(...buttons);
  }

  async #addExample(name) {
    try {
      const file = await (await fetch(exampleAddress(name))).blob();
      await this.add([new File([file], name, { type: file.type })], name);
    } catch {
      this.#say("The server does not respond.");
    }
  }

  #say(text, ...values) {
    this.#notice.textContent = text && t(text, ...values);
  }

  #update() {
    this.#section.classList.toggle("blank", !this.#current);
    this.#section.querySelector("[data-action=clear]").disabled = !this.#tiles.length;
  }
}

function exampleAddress(file) {
  return new URL(`./examples/${file}`, import.meta.url).href;
}
