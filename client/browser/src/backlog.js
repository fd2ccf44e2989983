/**
 * What was said while the connection was away: audio and messages, each with its moment.
 *
 * Moments are samples of user audio since the session began. When the session is taken up again
 * the server says where it stands. Audio from before that moment is left out, because the server
 * has filled it in as silence; a hole becomes an `audio.gap`.
 */

import { toMs } from "./audio.js";

/** @import { ClientMessage } from "../types/messages.js" */

/**
 * Something to be sent, and the moment at which it was handed over.
 * @typedef {{ at: number, user: Int16Array, agent?: Int16Array }
 *   | { at: number, message: ClientMessage }} Waiting
 */

/** The longest gap that one message may announce. */
export const MAX_GAP_MS = 60_000;
/** Fields of messages that name a moment of the session's clock. */
const MOMENTS = ["at_ms", "start_ms", "end_ms"];
/** More messages than this push out the oldest. */
const MAX_MESSAGES = 1000;

/** Keeps everything in order; of the audio at most `bound` samples, of the messages the newest. */
export class Backlog {
  #bound;
  /** @type {Waiting[]} */
  #waiting = [];
  #held = 0;
  #messages = 0;

  /** @param {number} bound Samples of user audio. */
  constructor(bound) {
    this.#bound = bound;
  }

  /** The moment of the oldest thing that waits; null: nothing does. */
  get start() {
    return this.#waiting[0]?.at ?? null;
  }

  /** @param {Waiting} waiting */
  add(waiting) {
    this.#waiting.push(waiting);
    if ("user" in waiting) {
      this.#held += waiting.user.length;
      while (this.#held > this.#bound) this.#held -= this.#dropOldest("user");
    } else if (++this.#messages > MAX_MESSAGES) {
      this.#dropOldest("message");
      this.#messages -= 1;
    }
  }

  /**
   * The session begins anew at `start`: moments count from there, those that messages name, too.
   * @param {number} start
   */
  beginAt(start) {
    this.#waiting = this.#waiting.map((waiting) => {
      const at = Math.max(0, waiting.at - start);
      return "user" in waiting ? { ...waiting, at } : { at, message: since(toMs(start), waiting.message) };
    });
  }

  /**
   * All that waits, as it is to be sent to a server that stands at `position`.
   * @param {number} position
   * @param {number} clock This side's moment, where the server stands when all was sent.
   * @returns {Waiting[]}
   */
  take(position, clock) {
    /** @type {Waiting[]} */
    const taken = [];
    for (const waiting of this.#waiting) {
      if ("user" in waiting && waiting.at < position) continue;
      taken.push(...gaps(position, waiting.at), waiting);
      position = Math.max(position, waiting.at);
      if ("user" in waiting) position += waiting.user.length;
    }
    this.#waiting = [];
    this.#held = this.#messages = 0;
    taken.push(...gaps(position, clock));
    return taken;
  }

  /** @param {"user" | "message"} kind @returns {number} Samples of user audio. */
  #dropOldest(kind) {
    const index = this.#waiting.findIndex((waiting) => kind in waiting);
    const [dropped] = this.#waiting.splice(index, 1);
    return "user" in dropped ? dropped.user.length : 0;
  }
}

/**
 * The message; the moments that it names are counted from `startMs`.
 * @param {number} startMs
 * @param {ClientMessage} message
 */
function since(startMs, message) {
  /** @type {Record<string, unknown>} */
  const moved = { ...message };
  for (const name of MOMENTS) {
    const at = moved[name];
    if (typeof at === "number") moved[name] = Math.max(0, at - startMs);
  }
  return /** @type {ClientMessage} */ (/** @type {unknown} */ (moved));
}

/**
 * The messages that announce a hole.
 * @param {number} from
 * @param {number} to
 * @returns {{ at: number, message: ClientMessage }[]}
 */
export function gaps(from, to) {
  const messages = [];
  for (let left = toMs(to - from); left > 0; left -= MAX_GAP_MS) {
    const duration_ms = Math.min(left, MAX_GAP_MS);
    messages.push({ at: from, message: /** @type {const} */ ({ type: "audio.gap", duration_ms }) });
  }
  return messages;
}
