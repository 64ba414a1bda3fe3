// The table of a network's layers, with the feature maps of the convolutional ones.

import { create } from "./elements.js";
import { formatCount, t } from "./messages.js";

/** Most feature maps of a layer that are shown. */
export const MAX_MAPS = 16;

/** A row for each layer: name, type, shape of the output, number of parameters, and feature maps. */
export class LayerTable {
  #table;
  #onSelect;
  #url = "";

  /**
   * @param {HTMLTableElement} table
   * @param {(layer: string, map: number) => void} onSelect Called when a feature map is chosen.
   */
  constructor(table, onSelect) {
    this.#table = table;
    this.#onSelect = onSelect;
    table.addEventListener("click", (event) => this.#click(event));
    table.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Show the layers of a network. */
  set card(card) {
    this.clear();
    this.#table.hidden = !card.layers.length;
    const layers = new Map(card.layers.map((layer) => [layer.name, layer]));
    const shown = (card.explanation?.layers ?? []).map((name) => layers.get(name)).filter(Boolean);
    const width = Math.max(0, ...shown.map(({ output_shape: [, , side, count] }) => side * Math.min(count, MAX_MAPS)));
    let top = 0;
    const strips = new Map();
    for (const layer of shown) {
      strips.set(layer.name, createStrip(layer, { top, width }));
      top += layer.output_shape[1];
    }
    this.#table.tBodies[0].replaceChildren(...card.layers.map((layer) => createRow(layer, strips.get(layer.name))));
    this.#table.tFoot.querySelector("td").textContent = formatCount(card.parameters);
  }

  /** Show the feature maps; the file is the picture that Api.featureMaps returns. */
  showMaps(file) {
    const old = this.#url;
    this.#url = URL.createObjectURL(file);
    this.#table.style.setProperty("--maps", `url("${this.#url}")`);
    this.#table.classList.remove("empty");
    if (old) URL.revokeObjectURL(old);
  }

  clear() {
    this.#table.classList.add("empty");
    this.#table.style.removeProperty("--maps");
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = "";
  }

  /** Give the focus to the button of the chosen map, which is not shown any more. */
  release() {
    const button = this.#table.querySelector("[aria-pressed=true]");
    button.ariaPressed = "false";
    button.focus();
  }

  #click(event) {
    const button = event.target.closest("button");
    if (!button) return;
    for (const one of this.#table.querySelectorAll("[aria-pressed=true]")) one.ariaPressed = "false";
    button.ariaPressed = "true";
    this.#onSelect(button.dataset.layer, Number(button.dataset.map));
  }

  /** Arrow keys move within a row, so that the Tab key has one stop for each row. */
  #key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const button = event.target.closest("button");
    if (!step || !button) return;
    const buttons = [...button.parentElement.querySelectorAll("button")];
    const next = buttons[buttons.indexOf(button) + step];
    event.preventDefault();
    if (!next) return;
    button.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }
}

function createRow({ name, type, output_shape: shape, parameters }, strip) {
  const cells = [type, shape.slice(1).join(" × "), formatCount(parameters), strip ?? ""];
  return create("tr", {}, create("th", { scope: "row" }, name), ...cells.map((cell) => create("td", {}, cell)));
}

/** Return the buttons of a layer: each shows its part of the picture with all feature maps. */
function createStrip({ name, output_shape: [, , side, count] }, { top, width }) {
  const strip = create("div", { className: "strip", ariaLabel: t("Feature maps of {0}", name) });
  strip.setAttribute("role", "group");
  strip.style.setProperty("--top", top / side);
  strip.style.setProperty("--width", width / side);
  for (let map = 0; map < Math.min(count, MAX_MAPS); map++) {
    const title = t("Feature map {0} of {1}", map + 1, name);
    const button = create("button", { title, ariaLabel: title, ariaPressed: "false", tabIndex: map ? -1 : 0 });
    button.dataset.layer = name;
    button.dataset.map = map;
    button.style.setProperty("--column", map);
    strip.append(button);
  }
  if (count > MAX_MAPS) strip.append(`+${count - MAX_MAPS}`);
  return strip;
}
