// Reads the colours of tokens.css, for what is painted by pixels.

/** Return a colour, such as "#1f5fbf", as red, green and blue, 0 to 255. */
export function token(name) {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return [1, 3, 5].map((start) => parseInt(text.slice(start, start + 2), 16));
}
