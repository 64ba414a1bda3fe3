// Keeps what is on the page in its address, so that a link opens it again.

const MAX_CHARACTERS = 30_000;

/** Return the parameters after the # of the address: tab, model, version, compare, content. */
export function readAddress() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

/** Replace these parameters; empty ones are left out, and no entry is added to the history. */
export function writeAddress(parameters) {
  const filled = Object.entries(parameters).filter(([, value]) => value);
  let text = new URLSearchParams(filled).toString();
  if (text.length > MAX_CHARACTERS) text = new URLSearchParams(filled.filter(([name]) => name !== "content"));
  history.replaceState(null, "", `${location.pathname}${location.search}#${text}`);
}
