// Copies a link to the page, or the request for what is on it, and saves it as a picture.

import { t } from "./messages.js";
import { writeSnippets } from "./snippets.js";
import { drawView } from "./view_picture.js";

const STATUS_MS = 5_000;

/** The row of buttons to share what is on the page. */
export class Share {
  #row;
  #shown;
  #timer = 0;

  /**
   * @param {HTMLElement} row
   * @param {() => object | null} shown Returns what is on the page; null without an answer.
   * @param {() => boolean} isLinkWhole Whether the address has the input.
   */
  constructor(row, shown, isLinkWhole) {
    this.#row = row;
    this.#shown = shown;
    this.hasAnswer = false;
    const actions = {
      link: () => copy(location.href, isLinkWhole() ? undefined : t("Copied, without the input: it does not fit into a link.")),
      curl: async (view) => copy((await writeSnippets(view)).curl),
      python: async (view) => copy((await writeSnippets(view)).python),
      png: async (view) => save(await drawView(view), `${view.name}-${view.headline || "answer"}.png`),
    };
    for (const [name, action] of Object.entries(actions)) {
      row.querySelector(`[data-action=${name}]`).addEventListener("click", () => this.#do(action));
    }
  }

  /** Enable the buttons that need an answer. */
  set hasAnswer(hasAnswer) {
    for (const button of this.#row.querySelectorAll("button:not([data-action=link])")) button.disabled = !hasAnswer;
  }

  async #do(action) {
    const status = this.#row.querySelector("[role=status]");
    status.textContent = (await action(this.#shown())) ?? "";
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (status.textContent = ""), STATUS_MS);
  }
}

/** Copy a text; return what to say. */
async function copy(text, message = t("Copied.")) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyOverPlainHttp(text);
  }
  return message;
}

/** Browsers have the clipboard for pages over TLS alone; this older way works for all. */
function copyOverPlainHttp(text) {
  const field = document.createElement("textarea");
  const focused = document.activeElement;
  field.value = text;
  field.className = "for-screen-readers";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
  focused?.focus();
}

function save(file, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
