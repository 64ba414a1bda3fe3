// Asks for an API key.

import { t } from "./messages.js";

/**
 * Show the dialog until the user gives a key or closes it.
 *
 * @param {HTMLDialogElement} dialog
 * @param {boolean} isWrong Whether the server has refused a key.
 * @returns {Promise<string>} The key; "" if there is none.
 */
export function askForKey(dialog, isWrong) {
  const field = dialog.querySelector("input");
  dialog.querySelector("p").textContent = isWrong
    ? t("The server does not accept this API key.")
    : t("The server requires an API key. It is kept until this tab is closed.");
  field.value = "";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener(
      "close",
      () => {
        const key = dialog.returnValue && field.value.trim();
        // No header carries other characters, so a key with them is wrong.
        resolve(/[^\x20-\xff]/.test(key) ? askForKey(dialog, true) : key);
      },
      { once: true },
    );
  });
}
