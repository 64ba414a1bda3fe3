// Sends the newest of many inputs, one at a time.

const FIRST_RETRY_MS = 500;
const MAX_RETRY_MS = 5_000;

/**
 * Sends inputs as fast as they are answered, and skips those that a newer one has replaced.
 *
 * A request that is answered too slowly is aborted when a newer input waits. After a temporary error the
 * newest input is sent again, at growing intervals, until it succeeds.
 */
export class NewestWins {
  #send;
  #options;
  #waiting = null;
  #running = null; // the AbortController of the request
  #timer = 0;
  #slowTimer = 0;
  #lastStart = -Infinity;
  #failures = 0;
  #retryAt = 0;

  /**
   * @param {(input: T, signal: AbortSignal) => Promise<R>} send
   * @param {object} options
   * @param {(result: R, input: T) => void} options.onResult
   * @param {(error: Error, input: T) => void} options.onError Called for each error that is not an abort.
   * @param {number} options.intervalMs Shortest time between the starts of two requests.
   * @param {number} options.patienceMs Time after which a request is aborted for a newer input.
   */
  constructor(send, { onResult, onError, intervalMs = 16, patienceMs = 1_000 }) {
    this.#send = send;
    this.#options = { onResult, onError, intervalMs, patienceMs };
  }

  /** Send an input as soon as possible, unless a newer one comes first. */
  put(input) {
    this.#waiting = input;
    if (this.#running) this.#abortIfSlow();
    else this.#schedule();
  }

  /** Drop what waits, and abort what runs. */
  cancel() {
    this.#waiting = null;
    clearTimeout(this.#timer);
    this.#timer = 0;
    this.#abort();
    this.#failures = 0;
    this.#retryAt = 0;
  }

  /** Send what waits for another attempt at once. */
  retryNow() {
    this.#retryAt = 0;
    if (!this.#running) this.#schedule();
  }

  #schedule() {
    clearTimeout(this.#timer);
    const next = Math.max(this.#lastStart + this.#options.intervalMs, this.#retryAt);
    this.#timer = setTimeout(() => this.#start(), Math.max(0, next - performance.now()));
  }

  async #start() {
    this.#timer = 0;
    const input = this.#waiting;
    if (input === null || this.#running) return;
    this.#waiting = null;
    this.#lastStart = performance.now();
    const running = (this.#running = new AbortController());
    try {
      const result = await this.#send(input, running.signal);
      if (running.signal.aborted) return;
      this.#failures = 0;
      this.#retryAt = 0;
      this.#options.onResult(result, input);
    } catch (error) {
      if (running.signal.aborted) return;
      this.#fail(error, input);
    } finally {
      if (this.#running === running) {
        this.#running = null;
        clearTimeout(this.#slowTimer);
        this.#slowTimer = 0;
        if (this.#waiting !== null) this.#schedule();
      }
    }
  }

  #fail(error, input) {
    if (error.isTemporary) {
      const pause = Math.min(FIRST_RETRY_MS * 2 ** this.#failures++, MAX_RETRY_MS);
      this.#retryAt = performance.now() + Math.max(pause, error.retryAfterS * 1_000);
      this.#waiting ??= input;
    }
    this.#options.onError(error, input);
  }

  #abortIfSlow() {
    if (this.#slowTimer) return;
    const left = this.#lastStart + this.#options.patienceMs - performance.now();
    this.#slowTimer = setTimeout(() => {
      this.#abort();
      if (this.#waiting !== null) this.#schedule();
    }, Math.max(0, left));
  }

  #abort() {
    clearTimeout(this.#slowTimer);
    this.#slowTimer = 0;
    this.#running?.abort();
    this.#running = null;
  }
}
