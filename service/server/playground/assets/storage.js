// Keeps small values in the browser, or for as long as the page is open where the browser forbids that.

/** Values of this tab, until it is closed. */
export const session = store("sessionStorage");
/** Values of this browser. */
export const local = store("localStorage");

function store(name) {
  const values = new Map();
  return {
    get(key) {
      try {
        return window[name].getItem(key);
      } catch {
        return values.get(key) ?? null;
      }
    },
    set(key, value) {
      try {
        window[name].setItem(key, value);
      } catch {
        values.set(key, value);
      }
    },
  };
}
