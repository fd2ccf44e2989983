import { BargeinError } from "./failure.js";
import { Link, endpoint } from "./link.js";
import { MessageQueue } from "./queue.js";
import { Advice, adviceFor, waitsMs } from "./retrying.js";

/**
 * @import { ErrorCode, EventsMessage } from "../types/messages.js"
 * @import { Token } from "./link.js"
 * @import { Backoff } from "./retrying.js"
 */

/**
 * What to follow.
 * @typedef {object} FollowOptions
 * @property {Token} [token]
 * @property {string} [session] Only this one.
 * @property {string[]} [types] Only these types of messages.
 * @property {number} [after] Go on after the event of this number; absent: the news only.
 * @property {Backoff} [retry] How often and how patiently to reconnect.
 * @property {(code: ErrorCode) => void} [lost] Called when there is no connection and another will
 *   be tried; the next `subscribed` says that there is one again.
 */

/**
 * Follows what the sessions of a server say, through lost connections and without a hole as far as
 * the server's log reaches.
 *
 * `for await (const message of follow(url))` reads `event` (something that a session said),
 * `missed` (the log did not reach back far enough) and `subscribed` (a connection was made).
 * Leaving the loop ends it.
 * @param {string | URL} url The server, e.g. `wss://voice.example.com`.
 * @param {FollowOptions} [options]
 * @returns {AsyncIterableIterator<EventsMessage>}
 */
export function follow(url, options = {}) {
  const follower = new Follower(endpoint(url, "/v1/events"), options);
  void follower.run();
  return follower.queue;
}

class Follower {
  /** @type {MessageQueue<EventsMessage>} */
  queue = new MessageQueue(() => this.#leave());
  #url;
  #options;
  #left = false;
  /** @type {Link | null} */
  #link = null;
  #logId = "";
  /** @type {number | undefined} */
  #after;

  /** @param {string} url @param {FollowOptions} options */
  constructor(url, options) {
    this.#url = url;
    this.#options = options;
    this.#after = options.after;
  }

  async run() {
    let waits = waitsMs(this.#options.retry);
    for (;;) {
      const { code, welcomed } = await this.#connection();
      if (this.#left || code === null) return this.queue.end();
      if (welcomed) waits = waitsMs(this.#options.retry);
      const wait = waits.next();
      if (wait.done || adviceFor(code, true) === Advice.GIVE_UP) {
        return this.queue.end(new BargeinError(code));
      }
      this.#options.lost?.(code);
      await new Promise((resolve) => setTimeout(resolve, wait.value));
    }
  }

  /**
   * One connection, from the handshake to its end.
   * @returns {Promise<{ code: ErrorCode | null, welcomed: boolean }>}
   */
  async #connection() {
    let welcomed = false;
    /** @type {(code: ErrorCode | null) => void} */
    let over = () => {};
    /** @type {Promise<ErrorCode | null>} */
    const ended = new Promise((resolve) => (over = resolve));
    try {
      this.#link = await Link.open(this.#address(), this.#options.token, {
        receive: (text) => {
          welcomed = true;
          this.#take(JSON.parse(text));
        },
        lost: over,
      });
    } catch (error) {
      return { code: error instanceof BargeinError ? error.code : "internal_error", welcomed };
    }
    if (this.#left) this.#link.close();
    return { code: this.#left ? null : await ended, welcomed };
  }

  #address() {
    const address = new URL(this.#url);
    const { session, types } = this.#options;
    if (session !== undefined) address.searchParams.set("session", session);
    if (types !== undefined) address.searchParams.set("types", types.join(","));
    if (this.#after !== undefined) address.searchParams.set("after", String(this.#after));
    return address.href;
  }

  /** @param {EventsMessage} message */
  #take(message) {
    if (message.type === "subscribed") {
      const renumbered = this.#logId !== "" && message.log_id !== this.#logId;
      this.#logId = message.log_id;
      if (renumbered) {
        this.#after = 0; // another log, to be read from its start
        this.#link?.abandon();
        return;
      }
      this.#after ??= message.seq;
    } else this.#after = message.seq;
    this.queue.put(message);
  }

  #leave() {
    this.#left = true;
    this.#link?.close();
  }
}

