// The panel that explains the answer for a picture: heat map, feature maps, layers.

import { FeatureMapView } from "./feature_map.js";
import { HeatMap } from "./heat_map.js";
import { LayerTable } from "./layer_table.js";
import { nameOf, t } from "./messages.js";
import { NewestWins } from "./newest.js";

const MAPS_INTERVAL_MS = 200;
const NO_CARD = { labels: [], layers: [] };

/** Explains the newest input while the panel is open. */
export class Why {
  #panel;
  #labels;
  #heat;
  #table;
  #view;
  #file = null; // the picture that the network reads
  #subject = null; // {model, content, label, isSettled} of the newest prediction; a number has the label ""
  #card = NO_CARD;
  #chosen = ""; // the label that the user chose; "" for the predicted one
  #heatQueue;
  #mapsQueue;
  #mapQueue;

  /**
   * @param {HTMLDetailsElement} panel
   * @param {Api} api
   */
  constructor(panel, api) {
    this.#panel = panel;
    this.#labels = panel.querySelector("select");
    this.#heat = new HeatMap(panel.querySelector(".heat"));
    this.#view = new FeatureMapView(panel.querySelector(".feature-map"));
    this.#table = new LayerTable(panel.querySelector("table"), (layer, map) => this.#select(layer, map));
    const queue = (send, onResult, intervalMs = 16) =>
      new NewestWins(send, { onResult, onError: (error) => error.isTemporary || this.clear(), intervalMs });
    this.#heatQueue = queue(
      ({ model, content, label }, signal) => api.heat(model, content, this.#chosen || label, signal),
      (explanation) => this.#heat.show(explanation),
    );
    this.#mapsQueue = queue(
      ({ model, content }, signal) => api.featureMaps(model, content, signal),
      (sheet) => this.#table.showMaps(sheet),
      MAPS_INTERVAL_MS,
    );
    this.#mapQueue = queue(
      ({ model, content, layer, map }, signal) => api.featureMap(model, content, { layer, map }, signal),
      (explanation) => this.#view.show(explanation),
    );
    panel.querySelector("[data-action=close]").addEventListener("click", () => this.#closeMap());
    panel.addEventListener("toggle", () => {
      this.showInput(this.#file);
      this.#request();
    });
    this.#labels.addEventListener("change", () => {
      this.#chosen = this.#labels.value;
      this.#request();
    });
  }

  /** Show or hide the whole panel. */
  set isOffered(isOffered) {
    this.#panel.hidden = !isOffered;
  }

  /** The card of the model that the panel shows; undefined until it is loaded. */
  set card(card = NO_CARD) {
    if (card === this.#card) return;
    this.#card = card;
    this.#chosen = "";
    const options = card.labels.map((label) => new Option(t("Why {0}?", nameOf(label)), label));
    this.#labels.replaceChildren(new Option(t("Why?"), ""), ...options);
    this.#table.card = card;
    this.#view.close();
  }

  /** Explain a prediction of that model. */
  explain(subject) {
    this.#subject = subject;
    this.#panel.classList.remove("blank");
    this.#request();
  }

  /** Show the picture that the network reads. */
  showInput(file) {
    this.#file = file;
    // Chromium does not lay out an image that gets its first address while the panel is closed.
    if (!this.#panel.open) return;
    this.#heat.showInput(file);
    this.#view.showInput(file);
  }

  /** Show nothing, because there is no answer. */
  clear() {
    for (const queue of [this.#heatQueue, this.#mapsQueue, this.#mapQueue]) queue.cancel();
    this.#subject = null;
    this.#panel.classList.add("blank");
    this.#labels.options[0].text = t("Why?");
    this.#heat.clear();
    this.#table.clear();
    this.#view.clear();
  }

  /** Handle a key that no element has used; return whether it was one of this panel's. */
  key({ key }) {
    const closes = key === "Escape" && this.#panel.open && this.#view.selected;
    if (closes) this.#closeMap();
    return closes;
  }

  #closeMap() {
    this.#view.close();
    this.#table.release();
  }

  #request() {
    const subject = this.#subject;
    if (!subject || this.#panel.hidden) return;
    this.#labels.options[0].text = subject.label ? t("Why {0}?", nameOf(subject.label)) : t("Why?");
    const { explanation } = this.#card;
    if (!this.#panel.open || !explanation) return;
    if (explanation.layers.length) this.#mapsQueue.put(subject);
    if (!subject.isSettled) return;
    // A number has no label of its own.
    if (this.#chosen || subject.label) this.#heatQueue.put(subject);
    else {
      this.#heatQueue.cancel();
      this.#heat.clear();
    }
    if (this.#view.selected) this.#mapQueue.put({ ...subject, ...this.#view.selected });
  }

  #select(layer, map) {
    this.#view.select(layer, map);
    if (this.#subject) this.#mapQueue.put({ ...this.#subject, layer, map });
  }
}
