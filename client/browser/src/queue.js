/**
 * Messages on their way to one `for await`; unbounded, for they are small and few.
 * @template Message
 * @implements {AsyncIterableIterator<Message>}
 */
export class MessageQueue {
  /** @type {Message[]} */
  #messages = [];
  #over = false;
  /** @type {Error | undefined} */
  #error;
  /** @type {(() => void) | null} */
  #wake = null;
  #released;

  /** @param {() => void} released Called when nobody reads any more. */
  constructor(released) {
    this.#released = released;
  }

  /** @param {Message} message */
  put(message) {
    this.#messages.push(message);
    this.#wake?.();
  }

  /** Nothing comes any more; what is there can still be read. @param {Error} [error] */
  end(error) {
    this.#over = true;
    this.#error = error;
    this.#wake?.();
  }

  /** @returns {Promise<IteratorResult<Message>>} */
  async next() {
    while (this.#messages.length === 0 && !this.#over) {
      await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
    }
    const [message] = this.#messages.splice(0, 1);
    if (message !== undefined) return { value: message, done: false };
    if (this.#error) throw this.#error;
    return { value: undefined, done: true };
  }

  /** @returns {Promise<IteratorResult<Message>>} */
  async return() {
    this.end();
    this.#released();
    return { value: undefined, done: true };
  }

  [Symbol.asyncIterator]() {
    return this;
  }
}
