// Connects the parts of the page: the tabs, the choice of the model, and the answer.

import { readAddress, writeAddress } from "./address.js";
import { Answer, isNumber, rowsOf } from "./answer.js";
import { Api } from "./api.js";
import { setUpAppearance } from "./appearance.js";
import { Banner } from "./banner.js";
import { DrawTab } from "./draw.js";
import { askForKey } from "./key_dialog.js";
import { errorMessage, t, translateDocument } from "./messages.js";
import { ModelChoice } from "./model_choice.js";
import { NewestWins } from "./newest.js";
import { filesOf } from "./picture_files.js";
import { PicturesTab } from "./pictures.js";
import { Share } from "./share.js";
import { TextTab } from "./text.js";
import { Why } from "./why.js";

const VIEW_INTERVAL_MS = 120;
const MODELS_RETRY_MS = 2_000;
const PENDING_MS = 400; // An answer that takes longer is shown as being on its way.

const element = (id) => document.getElementById(id);

class Page {
  #api = new Api((isWrong) => askForKey(element("key"), isWrong));
  #banner = new Banner(element("banner"));
  #notice = new Banner(element("notice"));
  #answer = new Answer(element("answer"));
  #why = new Why(element("why"), this.#api);
  #share = new Share(
    element("share"),
    () => this.#shown(),
    () => !this.#tab.input() || Boolean(readAddress().content),
  );
  #tabs = [
    new DrawTab(element("draw")),
    new PicturesTab(element("pictures"), this.#api, (text) => this.#say(text)),
    new TextTab(element("text"), this.#api),
  ];
  #tab = this.#tabs[0];
  #choice = new ModelChoice(document.querySelector(".selects"), () => this.#useChoice());
  #cards = new Map(); // by name and version
  #prediction = null;
  #compared = null;
  #networkInput = null; // a picture file
  #pendingTimer = 0;
  #changedAt = null; // when the newest change came that has no answer yet

  #main = new NewestWins((input, signal) => this.#predictTimed(input, signal), {
    onResult: (result, input) => this.#showPrediction(result, input),
    onError: (error, input) => this.#showError(error, input),
  });
  #second = new NewestWins((input, signal) => this.#predict(input, signal), {
    onResult: (result, input) => this.#showCompared(result, input),
    onError: () => {}, // the first request has the same error
  });
  #view = new NewestWins((input, signal) => this.#api.networkInput(input.model, input.content, signal), {
    onResult: (file) => this.#showNetworkInput(file),
    onError: () => {}, // the view is not needed
    intervalMs: VIEW_INTERVAL_MS,
  });

  async start() {
    for (const tab of this.#tabs) {
      tab.addEventListener("change", () => tab === this.#tab && this.#inputChanged(false));
      tab.addEventListener("settle", () => tab === this.#tab && this.#inputChanged(true));
      element(`${tab.id}-tab`).addEventListener("click", () => this.#selectTab(tab));
    }
    element("tabs").addEventListener("keydown", (event) => this.#moveBetweenTabs(event));
    document.addEventListener("keydown", (event) => this.#key(event));
    document.addEventListener("paste", (event) => this.#paste(event));
    document.addEventListener("dragover", (event) => event.preventDefault());
    document.addEventListener("drop", (event) => this.#drop(event));
    element("app").hidden = false;
    this.#offerTabs(await this.#loadModels());
    addEventListener("hashchange", () => this.#open(readAddress()));
  }

  /** Load the list of models; try again until that succeeds. */
  async #loadModels() {
    for (;;) {
      try {
        const models = await this.#api.models();
        this.#banner.hide();
        return models;
      } catch (error) {
        const pause = new Promise((resolve) => {
          this.#banner.show(errorMessage(error), resolve);
          if (error.isTemporary) setTimeout(resolve, MODELS_RETRY_MS);
        });
        await pause;
      }
    }
  }

  #offerTabs(models) {
    this.#choice.setModels(models, this.#tabs);
    const offered = this.#offered;
    for (const tab of this.#tabs) element(`${tab.id}-tab`).hidden = !offered.includes(tab);
    if (!offered.length) {
      const text = models.length
        ? t("The server has no model that this page shows. Use its API.")
        : t("The server has no models.");
      return this.#banner.show(text, () => location.reload());
    }
    // A tab that was clicked before the models were there counts more than the address.
    const isClicked = this.#tab !== this.#tabs[0];
    this.#open(isClicked ? { tab: this.#tab.id } : readAddress());
  }

  /** The tabs that have a model. */
  get #offered() {
    return this.#tabs.filter((tab) => this.#choice.of(tab));
  }

  /** Show what an address says, or else the first tab that has a model; say what of it is not there. */
  #open(address) {
    const offered = this.#offered;
    const tab = offered.find(({ id }) => id === address.tab) ?? offered[0];
    const models = this.#choice.modelsOf(tab);
    const model = models.find(({ name }) => name === address.model);
    const used = model ?? models.find(({ name }) => name === this.#choice.of(tab).name);
    const find = (text) => used.versions.find((number) => String(number) === text);
    const version = find(address.version) ?? used.version;
    if (model) this.#choice.set(tab, { name: model.name, version, compared: find(address.compare) ?? 0 });
    this.#selectTab(tab, { focus: false });
    const isWhole = tab.id === (address.tab ?? tab.id) && (!address.content || tab.open(address.content));
    if (!isWhole) this.#say(t("This link is damaged."));
    else if (address.model && !model) {
      this.#say(t("There is no model {0}; {1} is used.", address.model, used.name));
    } else if (address.version && !find(address.version)) {
      this.#say(t("There is no version {0}; version {1} is used.", address.version, version));
    }
  }

  /** Show a notice until it is closed, or another tab is chosen; an empty one hides it. */
  #say(text) {
    if (text) this.#notice.show(text);
    else this.#notice.hide();
  }

  #selectTab(tab, { focus = true } = {}) {
    this.#tab = tab;
    if (!this.#choice.of(tab)) return; // The models are not there yet.
    this.#say("");
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
    this.#choice.show(tab);
    this.#useChoice();
  }

  #moveBetweenTabs(event) {
    const offered = this.#offered;
    const place = offered.indexOf(this.#tab);
    const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: -1 }[event.key];
    if (next === undefined || !offered.length) return; // The models may not be there yet.
    event.preventDefault();
    this.#selectTab(offered.at(next % offered.length));
  }

  #useChoice() {
    const { name, version } = this.#choice.current;
    this.#cancel();
    this.#explain();
    this.#loadCard({ name, version });
    this.#tab.model = { ...this.#choice.model, version };
    this.#inputChanged(true);
  }

  #cancel() {
    for (const queue of [this.#main, this.#second, this.#view]) queue.cancel();
    this.#settled();
    this.#forgetPrediction();
  }

  #forgetPrediction() {
    this.#prediction = this.#compared = null;
    this.#share.hasAnswer = false;
    this.#why.clear();
    this.#showNetworkInput(null);
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
    const input = this.#tab.input();
    if (isSettled) this.#writeAddress();
    if (!input) {
      this.#cancel();
      this.#changedAt = null;
      this.#answer.showPlaceholder(t(this.#tab.placeholder), this.#choice.model?.labels ?? []);
      return;
    }
    this.#changedAt ??= performance.now();
    this.#pendingTimer ||= setTimeout(() => this.#answer.showPending(), PENDING_MS);
    if (!this.#choice.model) return; // They are on their way.
    const { name, version, compared } = this.#choice.current;
    const change = Symbol();
    this.#main.put({ ...input, change, model: { name, version }, isSettled });
    if (compared) this.#second.put({ ...input, change, model: { name, version: compared }, isSettled });
  }

  async #predict(input, signal) {
    input.content = await input.make();
    return this.#api.predictOrRead(input.model, input.content, signal);
  }

  /** The newest input has an answer or none: nothing is on its way. */
  #settled() {
    clearTimeout(this.#pendingTimer);
    this.#pendingTimer = 0;
  }

  async #predictTimed(input, signal) {
    const changedAt = this.#changedAt ?? performance.now();
    this.#changedAt = null;
    return { ...(await this.#predict(input, signal)), changedAt };
  }

  #showPrediction(result, input) {
    this.#banner.hide();
    this.#settled();
    this.#prediction = { ...result, input };
    this.#share.hasAnswer = true;
    if (!this.#choice.current.compared) this.#compared = null;
    this.#update(input.isSettled);
    this.#answer.showDuration({ totalMs: performance.now() - result.changedAt, serverMs: result.serverMs });
    if (this.#tab.showsPicture) this.#view.put(input);
    this.#tab.explain?.(result, input);
    this.#explain();
  }

  /** Return what the page shows, for a copy of it. */
  #shown() {
    if (!this.#prediction) return null;
    const { input, reading } = this.#prediction;
    const { name, version } = input.model;
    const { headline, detail } = this.#answer.texts;
    return {
      url: this.#api.address(input.model) + (reading ? "/read" : ""),
      needsKey: this.#api.usesKey,
      content: input.content,
      networkInput: this.#networkInput,
      title: `${name} ${version}`,
      rows: rowsOf(this.#prediction, this.#choice.model.labels),
      ...{ name, headline, detail },
    };
  }

  /** The card of the chosen model; undefined until it is loaded. */
  get #card() {
    const { name, version } = this.#choice.current;
    return this.#cards.get(JSON.stringify({ name, version }));
  }

  #explain() {
    if (!this.#tab.showsPicture) return;
    this.#why.card = this.#card;
    if (!this.#prediction) return;
    const { input, scores, reading } = this.#prediction;
    this.#why.explain({ ...input, label: reading ? "" : scores[0].label });
  }

  #showCompared(result, { change, model: { version } }) {
    this.#compared = { ...result, change, version };
    this.#update(false);
  }

  /** The answer of the other version: its bars may be older than the input, but no number may be. */
  get #comparable() {
    const isOlder = this.#compared?.change !== this.#prediction.input.change;
    return isOlder && isNumber(this.#prediction, this.#compared) ? null : this.#compared;
  }

  #update(isSettled) {
    if (!this.#prediction) return;
    this.#answer.show(this.#prediction, {
      labels: this.#choice.model.labels,
      threshold: this.#card?.unsure_below ?? 0,
      compared: this.#comparable,
      isSettled,
    });
  }

  #showNetworkInput(file) {
    this.#networkInput = file;
    this.#answer.showNetworkInput(file);
    this.#why.showInput(file);
  }

  #showError(error, input) {
    this.#settled();
    if (error.isTemporary) {
      this.#answer.showPending();
      this.#banner.show(errorMessage(error), () => this.#main.retryNow());
    } else if (error.status === 401) {
      this.#banner.show(errorMessage(error), () => this.#inputChanged(true));
    } else {
      this.#banner.hide();
      this.#forgetPrediction();
      this.#answer.showError(error, this.#choice.model.labels);
      this.#tab.refuse?.(error, input);
    }
  }

  #writeAddress() {
    if (!this.#choice.current) return;
    const { name, version, compared } = this.#choice.current;
    writeAddress({ tab: this.#tab.id, model: name, version, compare: compared || "", content: this.#tab.content ?? "" });
  }

  #key(event) {
    const isTyping = event.target.closest?.("input:not([type=range]), textarea, select, dialog");
    if (isTyping || event.defaultPrevented) return;
    if (this.#why.key(event) || this.#tab.key?.(event)) event.preventDefault();
  }

  #paste(event) {
    const isTyping = event.target.closest?.("textarea, input");
    if (isTyping) return;
    event.preventDefault();
    this.#take(event.clipboardData);
  }

  #drop(event) {
    event.preventDefault(); // Otherwise the browser leaves the page to show the file.
    this.#take(event.dataTransfer);
  }

  /** Show the pictures of a drop or of the clipboard; the chosen model stays, if it reads pictures. */
  #take(data) {
    const pictures = this.#tabs[1];
    if (!this.#choice.current) return; // The models are not there yet.
    if (!this.#choice.of(pictures)) return this.#say(t("The server has no model for pictures."));
    const { files, problem } = filesOf(data);
    if (!files.length) return this.#say(t(problem));
    if (!pictures.hasRoom()) return;
    if (pictures.accepts(this.#choice.model)) this.#choice.set(pictures, this.#choice.current);
    if (this.#tab !== pictures) this.#selectTab(pictures);
    pictures.add(files);
  }
}

translateDocument();
setUpAppearance();
new Page().start();
