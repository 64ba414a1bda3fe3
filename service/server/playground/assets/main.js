// Connects the parts of the page: the tabs, the choice of the model, and the answer.

import { readAddress, writeAddress } from "./address.js";
import { Answer } from "./answer.js";
import { Api, ApiError } from "./api.js";
import { setUpAppearance } from "./appearance.js";
import { Banner } from "./banner.js";
import { DrawTab } from "./draw.js";
import { askForKey } from "./key_dialog.js";
import { errorMessage, t, translateDocument } from "./messages.js";
import { NewestWins } from "./newest.js";
import { PicturesTab } from "./pictures.js";
import { Share } from "./share.js";
import { TextTab } from "./text.js";
import { Why } from "./why.js";

const VIEW_INTERVAL_MS = 120;
const MODELS_RETRY_MS = 2_000;

const element = (id) => document.getElementById(id);

class Page {
  #api = new Api((isWrong) => askForKey(element("key"), isWrong));
  #banner = new Banner(element("banner"));
  #answer = new Answer(element("answer"));
  #why = new Why(element("why"), this.#api);
  #share = new Share(element("share"), () => this.#shown());
  #tabs = [
    new DrawTab(element("draw")),
    new PicturesTab(element("pictures"), this.#api),
    new TextTab(element("text"), this.#api),
  ];
  #tab = this.#tabs[0];
  #models = [];
  #chosen = new Map(); // by the tab's id: {name, version, compared}
  #cards = new Map(); // by name and version
  #prediction = null;
  #compared = null;
  #changedAt = null; // when the newest change came that has no answer yet

  #main = new NewestWins((input, signal) => this.#predictTimed(input, signal), {
    onResult: (result, input) => this.#showPrediction(result, input),
    onError: (error) => this.#showError(error),
  });
  #second = new NewestWins((input, signal) => this.#predict(input, signal), {
    onResult: (result, input) => this.#showCompared(result, input),
    onError: () => {}, // the first request has the same error
  });
  #view = new NewestWins((input, signal) => this.#api.networkInput(input.model, input.content, signal), {
    onResult: (file) => {
      this.#answer.showNetworkInput(file);
      this.#why.showInput(file);
    },
    onError: () => {}, // the view is not needed
    intervalMs: VIEW_INTERVAL_MS,
  });

  async start() {
    for (const tab of this.#tabs) {
      tab.addEventListener("change", () => tab === this.#tab && this.#inputChanged(false));
      tab.addEventListener("settle", () => tab === this.#tab && this.#inputChanged(true));
      element(`${tab.id}-tab`).addEventListener("click", () => this.#selectTab(tab));
    }
    element("model").addEventListener("change", (event) => this.#chooseModel(event.target.value));
    element("version").addEventListener("change", (event) => this.#chooseVersion(Number(event.target.value)));
    element("compare").addEventListener("change", (event) => this.#chooseCompared(Number(event.target.value)));
    element("tabs").addEventListener("keydown", (event) => this.#moveBetweenTabs(event));
    document.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("paste", (event) => this.#paste(event));
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => this.#drop(event));
    element("app").hidden = false;
    await this.#loadModels();
    this.#restore();
  }

  /** Load the list of models; try again until that succeeds. */
  async #loadModels() {
    for (;;) {
      try {
        this.#models = await this.#api.models();
        this.#banner.hide();
        return;
      } catch (error) {
        const pause = new Promise((resolve) => {
          this.#banner.show(errorMessage(error), resolve);
          if (error.isTemporary) setTimeout(resolve, MODELS_RETRY_MS);
        });
        await pause;
      }
    }
  }

  /** Show what the address says, or else the first tab that has a model. */
  #restore() {
    const address = readAddress();
    const offered = this.#tabs.filter((tab) => this.#modelsOf(tab).length);
    for (const tab of this.#tabs) element(`${tab.id}-tab`).hidden = !offered.includes(tab);
    if (!offered.length) {
      const text = this.#models.length
        ? t("The server has no model that this page shows. Use its API.")
        : t("The server has no models.");
      return this.#banner.show(text, () => location.reload());
    }
    for (const tab of offered) this.#chosen.set(tab.id, this.#defaultChoice(tab));
    // A tab that was clicked before the models were there counts more than the address.
    const wanted = this.#tab === this.#tabs[0] ? address.tab : this.#tab.id;
    const tab = offered.find(({ id }) => id === wanted) ?? offered[0];
    const model = this.#modelsOf(tab).find(({ name }) => name === address.model);
    if (model) {
      const version = model.versions.find((number) => String(number) === address.version) ?? model.version;
      const compared = model.versions.find((number) => String(number) === address.compare) ?? 0;
      this.#chosen.set(tab.id, { name: model.name, version, compared });
    }
    this.#selectTab(tab, { focus: false });
    if (address.content && "content" in tab) tab.content = address.content;
  }

  #modelsOf(tab) {
    return this.#models.filter((model) => tab.accepts(model));
  }

  #defaultChoice(tab) {
    const models = this.#modelsOf(tab);
    const { name, version } = models.find((model) => tab.prefers(model)) ?? models[0];
    return { name, version, compared: 0 };
  }

  get #choice() {
    return this.#chosen.get(this.#tab.id);
  }

  get #model() {
    return this.#models.find(({ name }) => name === this.#choice?.name);
  }

  #selectTab(tab, { focus = true } = {}) {
    this.#tab = tab;
    if (!this.#choice) return; // The models are not there yet.
    for (const one of this.#tabs) {
      const isSelected = one === tab;
      const button = element(`${one.id}-tab`);
      button.ariaSelected = String(isSelected);
      button.tabIndex = isSelected ? 0 : -1;
      if (isSelected && focus) button.focus();
      element(one.id).hidden = !isSelected;
    }
    element("answer").classList.toggle("with-picture", tab.showsPicture);
    this.#why.isOffered = tab.showsPicture;
    this.#offerModels();
    this.#useChoice();
  }

  #moveBetweenTabs(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const offered = this.#tabs.filter((tab) => this.#chosen.has(tab.id));
    this.#selectTab(offered.at((offered.indexOf(this.#tab) + step) % offered.length));
  }

  #offerModels() {
    // The part of a title after the colon describes the version.
    const options = this.#modelsOf(this.#tab).map(({ name, title }) => new Option(title.split(":")[0], name));
    element("model").replaceChildren(...options);
    element("model").value = this.#choice.name;
    this.#offerVersions();
  }

  #offerVersions() {
    const { version, compared } = this.#choice;
    const versions = [...this.#model.versions].sort((one, other) => other - one);
    element("version").replaceChildren(
      ...versions.map((number) => new Option(t("Version {0}", number), number)),
    );
    element("version").value = version;
    const others = versions.filter((number) => number !== version);
    element("compare").replaceChildren(
      new Option(t("None"), 0),
      ...others.map((number) => new Option(t("Version {0}", number), number)),
    );
    element("compare").value = compared;
    element("compare").closest("label").hidden = !others.length;
  }

  #chooseModel(name) {
    const model = this.#models.find((one) => one.name === name);
    this.#chosen.set(this.#tab.id, { name, version: model.version, compared: 0 });
    this.#offerVersions();
    this.#useChoice();
  }

  #chooseVersion(version) {
    const { name, compared } = this.#choice;
    this.#chosen.set(this.#tab.id, { name, version, compared: compared === version ? 0 : compared });
    this.#offerVersions();
    this.#useChoice();
  }

  #chooseCompared(compared) {
    this.#chosen.set(this.#tab.id, { ...this.#choice, compared });
    this.#useChoice();
  }

  #useChoice() {
    const { name, version } = this.#choice;
    this.#cancel();
    this.#loadCard({ name, version });
    this.#tab.model = { ...this.#model, version };
    this.#inputChanged(true);
  }

  #cancel() {
    for (const queue of [this.#main, this.#second, this.#view]) queue.cancel();
    this.#forgetPrediction();
  }

  #forgetPrediction() {
    this.#prediction = this.#compared = null;
    this.#share.hasAnswer = false;
    this.#why.clear();
    for (const tab of this.#tabs) tab.explain?.(null);
  }

  /** Load the card, which has the threshold of doubt; without it the bars only lack the mark. */
  async #loadCard(model) {
    const key = JSON.stringify(model);
    if (this.#cards.has(key)) return;
    try {
      this.#cards.set(key, await this.#api.card(model));
      this.#update(false);
      this.#explain();
    } catch {
      // A prediction has the same error, and shows it.
    }
  }

  #inputChanged(isSettled) {
    const input = this.#model && this.#tab.input();
    if (isSettled) this.#writeAddress();
    if (!input) {
      this.#cancel();
      this.#changedAt = null;
      this.#answer.showPlaceholder(t(this.#tab.placeholder), this.#model?.labels ?? []);
      return;
    }
    this.#changedAt ??= performance.now();
    const { name, version, compared } = this.#choice;
    this.#main.put({ ...input, model: { name, version }, isSettled });
    if (compared) this.#second.put({ ...input, model: { name, version: compared }, isSettled });
  }

  async #predict(input, signal) {
    input.content = await input.make();
    const prediction = await this.#api.predict(input.model, input.content, signal);
    if (prediction.reason !== "several_digits") return prediction;
    try {
      const reading = await this.#api.read(input.model, input.content, signal);
      // Most "digits" of a scribble are unsure; then the answer for the whole picture is shown.
      const unsure = reading.digits.filter((digit) => digit.unsure).length;
      return 2 * unsure <= reading.digits.length ? { ...prediction, reading } : prediction;
    } catch (error) {
      if (error instanceof ApiError) return prediction; // such as: too many digits
      throw error;
    }
  }

  async #predictTimed(input, signal) {
    const changedAt = this.#changedAt ?? performance.now();
    this.#changedAt = null;
    return { ...(await this.#predict(input, signal)), changedAt };
  }

  #showPrediction(result, input) {
    this.#banner.hide();
    this.#prediction = { ...result, input };
    this.#share.hasAnswer = true;
    if (!this.#choice.compared) this.#compared = null;
    this.#update(input.isSettled);
    this.#answer.showDuration({ totalMs: performance.now() - result.changedAt, serverMs: result.serverMs });
    if (this.#tab.showsPicture) this.#view.put(input);
    this.#tab.explain?.(result, input);
    this.#explain();
  }

  /** Return what the page shows, for a copy of it. */
  #shown() {
    if (!this.#prediction) return null;
    const { input, scores } = this.#prediction;
    const { name, version } = input.model;
    const { headline, detail } = this.#answer.texts;
    return {
      url: this.#api.address(input.model),
      needsKey: this.#api.usesKey,
      content: input.content,
      title: `${name} ${version}`,
      ...{ name, scores, headline, detail },
    };
  }

  #explain() {
    if (!this.#prediction || !this.#tab.showsPicture) return;
    const { input, scores } = this.#prediction;
    this.#why.explain({ ...input, card: this.#cards.get(JSON.stringify(input.model)), label: scores[0].label });
  }

  #showCompared(result) {
    this.#compared = result;
    this.#update(false);
  }

  #update(isSettled) {
    if (!this.#prediction) return;
    const { name, version } = this.#choice;
    this.#answer.show(this.#prediction, {
      labels: this.#model.labels,
      threshold: this.#cards.get(JSON.stringify({ name, version }))?.unsure_below ?? 0,
      compared: this.#compared,
      isSettled,
    });
  }

  #showError(error) {
    if (error.isTemporary) {
      this.#banner.show(errorMessage(error), () => this.#main.retryNow());
    } else if (error.status === 401) {
      this.#banner.show(errorMessage(error), () => this.#inputChanged(true));
    } else {
      this.#banner.hide();
      this.#forgetPrediction();
      this.#answer.showNetworkInput(null);
      this.#answer.showError(error, this.#model.labels);
    }
  }

  #writeAddress() {
    if (!this.#choice) return;
    const { name, version, compared } = this.#choice;
    writeAddress({ tab: this.#tab.id, model: name, version, compare: compared || "", content: this.#tab.content ?? "" });
  }

  #key(event) {
    const isTyping = event.target.closest?.("input:not([type=range]), textarea, select, dialog");
    if (!isTyping && !event.defaultPrevented && this.#tab.key(event)) event.preventDefault();
  }

  #paste(event) {
    const isTyping = event.target.closest?.("textarea, input");
    const pictures = this.#tabs[1];
    if (isTyping || !this.#chosen.has(pictures.id)) return;
    event.preventDefault();
    if (this.#tab !== pictures) this.#selectTab(pictures);
    pictures.take(event.clipboardData);
  }

  #drop(event) {
    event.preventDefault(); // Otherwise the browser leaves the page to show the file.
    const pictures = this.#tabs[1];
    if (!this.#chosen.has(pictures.id)) return;
    if (this.#tab !== pictures) this.#selectTab(pictures);
    pictures.take(event.dataTransfer);
  }
}

translateDocument();
setUpAppearance();
new Page().start();
