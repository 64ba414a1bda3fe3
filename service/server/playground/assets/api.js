// Calls the server's HTTP API.

import { session } from "./storage.js";

const KEY = "lectern-api-key"; // in the session of this tab alone
const TIMEOUT_MS = 20_000;
// Statuses after which the same request may succeed: busy, restarting, behind a proxy without a server.
const TEMPORARY = new Set([0, 429, 502, 503, 504]);

/** An error response, or none at all: then the status is 0. */
export class ApiError extends Error {
  constructor(status, code, message, retryAfterS = 0) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.retryAfterS = retryAfterS;
  }

  get isTemporary() {
    return TEMPORARY.has(this.status);
  }
}

/**
 * The server that this page comes from. All addresses are relative, so that it can be behind a path prefix.
 *
 * A method takes an AbortSignal, and rejects with ApiError, or with AbortError when the signal aborts it.
 */
export class Api {
  #askForKey;
  #asking = null;

  /** @param {(isWrong: boolean) => Promise<string>} askForKey Returns an API key; "" if the user gives none. */
  constructor(askForKey) {
    this.#askForKey = askForKey;
  }

  /** Whether requests have an API key. */
  get usesKey() {
    return Boolean(session.get(KEY));
  }

  /** Return the full address of a version of a model. */
  address(model) {
    return new URL(`./${modelPath(model)}`, location.href).href;
  }

  /** Return the served models, as `GET /models` lists them. */
  async models(signal) {
    return (await (await this.#send("models", { signal })).json()).models;
  }

  /** Return the card of a version of a model. */
  async card(model, signal) {
    return (await this.#send(modelPath(model), { signal })).json();
  }

  /**
   * Classify a picture file (Blob) or a text.
   *
   * Returns the scores (best first), doubt and its reason (or null), and the server's time in ms.
   */
  async predict(model, input, signal) {
    const response = await this.#send(modelPath(model), { body: input, signal });
    const timing = [...(response.headers.get("Server-Timing") ?? "").matchAll(/dur=([\d.]+)/g)];
    return {
      scores: await response.json(),
      isUnsure: response.headers.get("X-Lectern-Unsure") === "true",
      reason: response.headers.get("X-Lectern-Reason"),
      serverMs: timing.reduce((sum, [, milliseconds]) => sum + Number(milliseconds), 0),
    };
  }

  /**
   * As predict; the answer for several digits has a `reading` too, as `POST /models/NAME/read` returns it, or
   * else a `refusal`, the ApiError that says why they are not read.
   */
  async predictOrRead(model, input, signal) {
    const prediction = await this.predict(model, input, signal);
    if (prediction.reason !== "several_digits") return prediction;
    try {
      const reading = await (await this.#send(`${modelPath(model)}/read`, { body: input, signal })).json();
      // Most "digits" of a scribble are unsure; then the answer for the whole picture is shown.
      const unsure = reading.digits.filter((digit) => digit.unsure).length;
      return 2 * unsure <= reading.digits.length ? { ...prediction, reading } : prediction;
    } catch (error) {
      if (!(error instanceof ApiError) || error.isTemporary) throw error;
      // The picture itself is not too large: it has a prediction.
      const code = error.code === "too_large" ? "too_many_digits" : error.code;
      return { ...prediction, refusal: new ApiError(error.status, code, error.message) };
    }
  }

  /** Return the network's input for a picture, as a PNG file. */
  async networkInput(model, picture, signal) {
    return (await this.#send(`${modelPath(model)}/input`, { body: picture, signal })).blob();
  }

  /** Return the heat map of a label for a picture. */
  async heat(model, picture, label, signal) {
    const path = `${modelPath(model)}/explain?as=json&label=${encodeURIComponent(label)}`;
    return (await this.#send(path, { body: picture, signal })).json();
  }

  /** Return the first feature maps of all layers, as one PNG file. */
  async featureMaps(model, picture, signal) {
    return (await this.#send(`${modelPath(model)}/maps`, { body: picture, signal })).blob();
  }

  /** Return the values of one feature map, and the filter that makes it. */
  async featureMap(model, picture, { layer, map }, signal) {
    const path = `${modelPath(model)}/explain?as=json&layer=${encodeURIComponent(layer)}&map=${map}`;
    return (await this.#send(path, { body: picture, signal })).json();
  }

  /** Return what the words of a text contribute to a label. */
  async words(model, text, label, signal) {
    return (await this.#send(`${modelPath(model)}/words?label=${encodeURIComponent(label)}`, { body: text, signal })).json();
  }

  async #send(path, { body, signal }) {
    const key = session.get(KEY) ?? "";
    const response = await this.#fetch(path, { body, signal, key });
    if (response.ok) return response;
    const error = await readError(response);
    if (error.status !== 401) throw error;
    await this.#renewKey(key, error);
    return this.#send(path, { body, signal });
  }

  async #fetch(path, { body, signal, key }) {
    const limit = new AbortController();
    const abort = () => limit.abort();
    signal?.throwIfAborted();
    signal?.addEventListener("abort", abort);
    const timer = setTimeout(abort, TIMEOUT_MS);
    try {
      return await fetch(`./${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: { ...contentType(body), ...(key ? { Authorization: `Bearer ${key}` } : {}) },
        body,
        signal: limit.signal,
        cache: "no-store",
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError(0, "connection_failed", String(error));
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  /** Ask for a key, once for all requests that wait; return if there is another one now than the request had. */
  async #renewKey(used, error) {
    if ((session.get(KEY) ?? "") !== used) return;
    this.#asking ??= this.#askForKey(used !== "").finally(() => (this.#asking = null));
    const key = await this.#asking;
    if (!key) throw error;
    session.set(KEY, key);
  }
}

function modelPath({ name, version }) {
  return `models/${encodeURIComponent(name)}/versions/${version}`;
}

function contentType(body) {
  if (body === undefined) return {};
  return { "Content-Type": typeof body === "string" ? "text/plain" : "application/octet-stream" };
}

async function readError(response) {
  const retryAfterS = Number(response.headers.get("Retry-After")) || 0;
  try {
    const { error, code } = await response.json();
    const message = error?.message ?? error; // A proxy may have an object there.
    return new ApiError(response.status, code ?? "", message ?? response.statusText, retryAfterS);
  } catch {
    return new ApiError(response.status, "", response.statusText, retryAfterS); // of a proxy
  }
}
