// Light or dark colours, the language, and large type for projectors.

import { LANGUAGE, t } from "./messages.js";
import { local } from "./storage.js";

const THEME = "lectern-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

/** Apply what the address and the user have chosen, and make the buttons work. */
export function setUpAppearance() {
  document.documentElement.classList.toggle("present", new URLSearchParams(location.search).has("present"));
  applyTheme();
  dark.addEventListener("change", applyTheme);
  const button = document.querySelector("[data-action=theme]");
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    local.set(THEME, next);
    applyTheme();
  });
  const link = document.querySelector(".language");
  const other = LANGUAGE === "de" ? "en" : "de";
  link.lang = link.hreflang = other;
  link.textContent = other === "de" ? "Deutsch" : "English";
  // The link is made when it is used: until then the part after the # changes.
  link.addEventListener("click", () => {
    const address = new URL(location.href);
    address.searchParams.set("lang", other);
    link.href = address.href;
  });
}

function applyTheme() {
  const chosen = local.get(THEME) ?? (dark.matches ? "dark" : "light");
  document.documentElement.dataset.theme = chosen;
  document.querySelector("[data-action=theme]").textContent = chosen === "dark" ? t("Light") : t("Dark");
}
