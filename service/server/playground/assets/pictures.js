// The tab of picture files: dropped, pasted, chosen, taken with the camera, or examples.

import { headlineOf, judge } from "./answer.js";
import { create } from "./elements.js";
import { errorMessage, formatPercent, nameOf, t } from "./messages.js";
import { readPicture } from "./picture_files.js";

const MAX_PICTURES = 60;
const PARALLEL = 2;
const TINY_SIDE = 64;
const FILE_ICON = new URL("./file.svg", import.meta.url).href;
// By the names of the files, the labels of the models for which they are offered.
const EXAMPLES = {
  eight: "8",
  ankle_boot: "Ankle boot",
  trouser: "Trouser",
  cat: "cat",
  dog: "dog",
  horse: "horse",
  ship: "ship",
};

/** Shows one picture large and all as tiles, and predicts all but the large one, whose answer the page brings. */
export class PicturesTab extends EventTarget {
  id = "pictures";
  placeholder = "Open a picture";
  showsPicture = true;
  #section;
  #api;
  #list;
  #view;
  #say;
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
   * @param {(text: string) => void} say Shows a notice; an empty text hides it.
   */
  constructor(section, api, say) {
    super();
    this.#say = say;
    this.#section = section;
    this.#api = api;
    this.#list = section.querySelector(".tiles");
    this.#view = section.querySelector(".view");
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
      this.#view.classList.toggle("icon", this.#view.src === FILE_ICON);
      this.#view.classList.toggle("tiny", Math.max(this.#view.naturalWidth, this.#view.naturalHeight) <= TINY_SIDE);
    });
    this.#update();
  }

  accepts(model) {
    return model.task === "image-classification";
  }

  /** Return the current picture; null if there is none. */
  input() {
    const tile = this.#current;
    return tile ? { make: () => tile.file, tile } : null;
  }

  /** Label the tile of an answered input of this tab; null if there is no answer any more. */
  explain(prediction, input) {
    if (prediction) this.#showAnswer(input.tile, prediction);
  }

  /** Label the tile of a refused input of this tab. */
  refuse(error, { tile }) {
    this.#label(tile, t("Error"), `${t("Error")}: ${errorMessage(error)}`);
  }

  /** The content for the address: the name of the current example; other pictures do not fit into one. */
  get content() {
    return this.#current?.example ?? "";
  }

  /** Show the content of an address; return whether it is one. */
  open(name) {
    const [example] = name.split("."); // Links of older versions have an extension.
    const isExample = Object.hasOwn(EXAMPLES, example);
    if (isExample) this.#addExample(example);
    return isExample;
  }

  /** Use a model for the tiles, and offer its examples. */
  set model(model) {
    this.#model = model;
    this.#offerExamples();
    this.#predictions.abort();
    this.#predictions = new AbortController();
    this.#running = 0;
    this.#waiting = [];
    for (const tile of this.#tiles) {
      this.#label(tile, "…", "");
      this.#predict(tile);
    }
  }

  /** Return whether a picture can be added; say so if not. */
  hasRoom() {
    const hasRoom = this.#tiles.length < MAX_PICTURES;
    this.#say(hasRoom ? "" : t("The list is full. Clear it first."));
    return hasRoom;
  }

  /** Add files, and select the first of them; an example has its name. */
  async add(files, example = "") {
    if (!this.hasRoom()) return;
    let isFirst = true;
    for (const original of files) {
      const { file, thumbnail } = await readPicture(original); // one after the other, to save memory
      if (this.#tiles.length >= MAX_PICTURES) {
        return this.#say(t("Only the first {0} pictures were loaded.", MAX_PICTURES));
      }
      const tile = this.#createTile(original.name || t("Picture"), file, thumbnail, example);
      if (isFirst) this.#select(tile);
      isFirst = false;
      this.#predict(tile);
    }
  }

  #createTile(name, file, thumbnail, example) {
    const label = create("span");
    const image = create("img", { alt: "" });
    const button = create("button", { className: "tile" }, image, label);
    const tile = { name, file, thumbnail, example, button, label, image, url: "" };
    this.#showPicture(tile, thumbnail && file);
    button.addEventListener("click", () => this.#select(tile));
    this.#label(tile, "…", "");
    this.#tiles.push(tile);
    this.#list.append(create("li", {}, button));
    this.#update();
    return tile;
  }

  #select(tile) {
    const before = this.#current;
    this.#current = tile;
    if (tile && before && !before.isAnswered) this.#predict(before);
    for (const one of this.#tiles) one.button.ariaPressed = String(one === tile);
    if (tile) {
      this.#view.alt = tile.name;
      this.#view.src = tile.url || FILE_ICON;
    } else {
      this.#view.removeAttribute("src");
    }
    this.#update();
    this.dispatchEvent(new Event("settle"));
  }

  /** Show a picture of a tile's file: of what the browser cannot read, the network's input, or else an icon. */
  #showPicture(tile, picture) {
    freeUrls(tile);
    tile.url = picture ? URL.createObjectURL(picture) : "";
    tile.thumbnailUrl = tile.thumbnail ? URL.createObjectURL(tile.thumbnail) : "";
    tile.image.src = tile.thumbnailUrl || tile.url || FILE_ICON;
    if (tile === this.#current) this.#view.src = tile.url || FILE_ICON;
  }

  #clear() {
    this.#tiles.forEach(freeUrls);
    this.#tiles = [];
    this.#waiting = [];
    this.#list.replaceChildren();
    this.#say("");
    this.#select(null);
  }

  #predict(tile) {
    if (!this.#model || tile === this.#current) return;
    this.#waiting.push(tile);
    this.#predictNext();
  }

  async #predictNext() {
    if (this.#running >= PARALLEL || !this.#waiting.length) return;
    const tile = this.#waiting.shift();
    const { signal } = this.#predictions;
    this.#running++;
    try {
      this.#showAnswer(tile, await this.#api.predictOrRead(this.#model, tile.file, signal));
    } catch (error) {
      if (signal.aborted) return;
      if (error.isTemporary) {
        const pauseMs = Math.max(error.retryAfterS, 1) * 1_000;
        setTimeout(() => !signal.aborted && this.#tiles.includes(tile) && this.#predict(tile), pauseMs);
      } else {
        this.refuse(error, { tile });
      }
    }
    if (signal.aborted) return; // the counter is that of another model now
    this.#running--;
    this.#predictNext();
  }

  async #showAnswer(tile, prediction) {
    const { face } = judge(prediction);
    const text = headlineOf(prediction);
    const description = prediction.reading ? text : `${text}, ${formatPercent(prediction.scores[0].score)}`;
    this.#label(tile, face === "unknown" ? "?" : text, description, face !== "sure");
    if (tile.thumbnail) return;
    const { signal } = this.#predictions;
    try {
      const picture = await this.#api.networkInput(this.#model, tile.file, signal);
      if (this.#tiles.includes(tile)) this.#showPicture(tile, picture);
    } catch {
      // The icon stays.
    }
  }

  #label(tile, text, description, isUnsure = false) {
    tile.isAnswered = Boolean(description);
    tile.label.textContent = text;
    tile.button.classList.toggle("unsure", isUnsure);
    const doubt = isUnsure ? `, ${t("Unsure")}` : "";
    tile.button.ariaLabel = tile.button.title = description ? `${tile.name}: ${description}${doubt}` : tile.name;
  }

  #offerExamples() {
    const all = Object.entries(EXAMPLES);
    const fitting = all.filter(([, label]) => this.#model?.labels.includes(label));
    const buttons = (fitting.length ? fitting : all).map(([name, label]) => {
      const title = t("Example: {0}", nameOf(label));
      const image = create("img", { alt: "", src: exampleAddress(name) });
      const button = create("button", { className: "example", title, ariaLabel: title }, image);
      button.addEventListener("click", () => this.#addExample(name));
      return button;
    });
    this.#examples.replaceChildren(...buttons);
  }

  async #addExample(name) {
    try {
      const file = await (await fetch(exampleAddress(name))).blob();
      await this.add([new File([file], name, { type: file.type })], name);
    } catch {
      this.#say(t("The server does not respond."));
    }
  }

  #update() {
    this.#section.classList.toggle("blank", !this.#current);
    this.#section.querySelector("[data-action=clear]").disabled = !this.#tiles.length;
  }
}

function freeUrls({ url, thumbnailUrl }) {
  for (const one of [url, thumbnailUrl]) if (one) URL.revokeObjectURL(one);
}

function exampleAddress(name) {
  return new URL(`./examples/${name}.webp`, import.meta.url).href;
}
