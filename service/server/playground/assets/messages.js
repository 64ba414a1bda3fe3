// Texts in the language of the page: translations, numbers and error messages.

import { GERMAN, NAMES } from "./german.js";

const chosen = new URLSearchParams(location.search).get("lang") ?? navigator.language;
/** The language of the page, "en" or "de": the address chooses it, or else the browser. */
export const LANGUAGE = chosen.toLowerCase().startsWith("de") ? "de" : "en";

const ATTRIBUTES = ["aria-label", "aria-description", "placeholder", "title"];
const number = new Intl.NumberFormat(LANGUAGE, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const count = new Intl.NumberFormat(LANGUAGE);
const twoDigits = new Intl.NumberFormat(LANGUAGE, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
// The server has details of these, in English.
const DETAILED = new Set(["damaged_image", "too_many_digits"]);
const MESSAGES = {
  blank_image: "Nothing stands out on this picture. Choose one with visible content.",
  faint_ink: "This is too faint. Use a darker pen or more light.",
  damaged_image: "This file is damaged or not a picture. Use PNG, JPEG, WebP, GIF, BMP, TIFF, AVIF or HEIC.",
  no_words: "The network knows none of these words. Write in English.",
  too_large: "This picture has too many pixels. Make it smaller first.",
  too_many_digits: "These could be more digits than are read. Use a part of the picture.",
  body_too_large: "This file is too large for the server. Make it smaller first.",
  model_not_found: "This model no longer exists. Choose another one.",
  connection_failed: "The server does not respond.",
  overloaded: "The server has too much to do.",
  rate_limited: "This API key has used up its requests.",
  not_ready: "The server is starting or stopping.",
  unauthorized: "The server requires a valid API key.",
};

/** Return a text in the language of the page, with values in place of {0}, {1} and so on. */
export function t(english, ...values) {
  const text = LANGUAGE === "de" ? (GERMAN[english] ?? english) : english;
  return text.replace(/\{(\d)\}/g, (_, index) => values[index]);
}

/** Return the name of a label or a model in the language of the page, if it has one there. */
export function nameOf(name) {
  return LANGUAGE === "de" && Object.hasOwn(NAMES, name) ? NAMES[name] : name;
}

/** Translate the texts and labels of the elements that the document has from the start. */
export function translateDocument() {
  document.documentElement.lang = LANGUAGE;
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.textContent);
  for (const name of ATTRIBUTES) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      element.setAttribute(name, t(element.getAttribute(name)));
    }
  }
}

/** Return a probability in percent; only exactly 0 and 1 are shown as 0 % and 100 %. */
export function formatPercent(score) {
  const rounded = Math.round(score * 1000) / 10;
  if (rounded === 0 && score > 0) return `< ${number.format(0.1)} %`;
  if (rounded === 100 && score < 1) return `> ${number.format(99.9)} %`;
  return `${number.format(rounded)} %`;
}

/** Return a number with its sign: "+1.90" or "−0.42". */
export function formatSigned(value) {
  return `${value < 0 ? "−" : "+"}${twoDigits.format(Math.abs(value))}`;
}

/** Return a whole number with its thousands separated. */
export function formatCount(value) {
  return count.format(value);
}

/** Return a duration in milliseconds with its unit. */
export function formatMs(milliseconds) {
  return `${number.format(milliseconds)} ms`;
}

/** Return the labels as a question: "4, 9 or 7?". */
export function formatQuestion(labels) {
  const [last, ...others] = labels.map(nameOf).reverse();
  return t("{0} or {1}?", others.reverse().join(", "), last);
}

/** Return the cause of an error and the way out. */
export function errorMessage(error) {
  const message = MESSAGES[error.code];
  if (DETAILED.has(error.code)) {
    const [first, ...others] = error.message;
    const isGerman = LANGUAGE === "de";
    return isGerman ? `${t(message)} (Server: ${error.message.split(";")[0]})` : `${first.toUpperCase()}${others.join("")}.`;
  }
  if (!message) return t("The server returned an error: {0}", error.message);
  return error.isTemporary ? `${t(message)} ${t("The page tries again by itself.")}` : t(message);
}
