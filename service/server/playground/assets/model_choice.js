// Lets the user choose a model, its version and a version to compare with, for each tab.

import { nameOf, t } from "./messages.js";

export class ModelChoice {
  #root;
  #onChange;
  #models = [];
  #tab = null;
  #chosen = new Map(); // by the tab's id: {name, version, compared}

  /** onChange() is called when the user has chosen. */
  constructor(root, onChange) {
    this.#root = root;
    this.#onChange = onChange;
    this.#on("model", (name) => this.#chooseModel(name));
    this.#on("version", (version) => this.#chooseVersion(Number(version)));
    this.#on("compare", (compared) => this.#choose({ compared: Number(compared) }));
  }

  /** Take the models of the server, and choose one for each tab that has any. */
  setModels(models, tabs) {
    this.#models = models;
    for (const tab of tabs) {
      const offered = this.modelsOf(tab);
      const { name, version } = offered.find((model) => tab.prefers?.(model)) ?? offered[0] ?? {};
      if (name) this.set(tab, { name, version, compared: 0 });
    }
  }

  modelsOf(tab) {
    return this.#models.filter((model) => tab.accepts(model));
  }

  /** Return what is chosen for a tab; undefined if it has no model. */
  of(tab) {
    return this.#chosen.get(tab.id);
  }

  set(tab, chosen) {
    this.#chosen.set(tab.id, chosen);
  }

  /** What is chosen for the tab that is shown; undefined before the models are there. */
  get current() {
    return this.#tab && this.of(this.#tab);
  }

  /** The model that is chosen for the tab that is shown, with all its versions. */
  get model() {
    return this.#models.find(({ name }) => name === this.current?.name);
  }

  /** Offer the models of a tab. */
  show(tab) {
    this.#tab = tab;
    // The part of a title after the colon describes the version.
    const options = this.modelsOf(tab).map(({ name, title }) => new Option(nameOf(title.split(":")[0]), name));
    this.#offer("model", options, this.current.name);
    this.#offerVersions();
  }

  #select(id) {
    return this.#root.querySelector(`#${id}`);
  }

  #on(id, choose) {
    this.#select(id).addEventListener("change", ({ target }) => choose(target.value));
  }

  #offer(id, options, chosen) {
    this.#select(id).replaceChildren(...options);
    this.#select(id).value = chosen;
  }

  #offerVersions() {
    const { version, compared } = this.current;
    const optionOf = (number) => new Option(t("Version {0}", number), number);
    const versions = [...this.model.versions].sort((one, other) => other - one);
    const others = versions.filter((number) => number !== version);
    this.#offer("version", versions.map(optionOf), version);
    this.#offer("compare", [new Option(t("None"), 0), ...others.map(optionOf)], compared);
    this.#select("compare").closest("label").hidden = !others.length;
  }

  #chooseModel(name) {
    const { version } = this.#models.find((model) => model.name === name);
    this.#choose({ name, version, compared: 0 });
  }

  #chooseVersion(version) {
    this.#choose({ version, compared: this.current.compared === version ? 0 : this.current.compared });
  }

  #choose(change) {
    this.set(this.#tab, { ...this.current, ...change });
    this.#offerVersions();
    this.#onChange();
  }
}
