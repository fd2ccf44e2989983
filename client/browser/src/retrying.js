/**
 * When to try again after a connection ended, and how long to wait.
 *
 * The protocol's error table has the advice; this is what the client makes of it:
 *
 *     retry    fault            the client
 *     ───────  ───────────────  ───────────────────────────────────────────────────────
 *     never    any              gives up
 *     resume   any              connects again and takes the same session up
 *     later    server           connects again and begins a new session, same settings
 *     later    client           gives up: this side would run into it again …
 *     later    client           … but in answer to a resume that the session is gone means
 *                               that it begins a new one
 */

import { ERRORS } from "./errors.js";

/** @import { ErrorCode } from "../types/messages.js" */

/** What to do after a connection ended with an error. */
export const Advice = Object.freeze({
  GIVE_UP: "give up",
  RESUME: "resume",
  BEGIN_ANEW: "begin anew",
});

/** @type {ReadonlySet<ErrorCode>} What an attempt to resume comes too late with. */
const GONE = new Set(/** @type {const} */ (["unknown_session", "resume_too_old"]));

/**
 * @param {ErrorCode} code
 * @param {boolean} resuming Whether the error is the answer to an attempt to resume.
 * @returns {(typeof Advice)[keyof typeof Advice]}
 */
export function adviceFor(code, resuming) {
  const { retry, fault } = ERRORS[code];
  if (retry === "resume") return Advice.RESUME;
  if (retry === "later" && fault === "server") return Advice.BEGIN_ANEW;
  if (retry === "later" && resuming && GONE.has(code)) return Advice.BEGIN_ANEW;
  return Advice.GIVE_UP;
}

/**
 * How often and how patiently to try again.
 * @typedef {object} Backoff
 * @property {number} [firstMs] The first wait; each further one is twice as long. Default 100.
 * @property {number} [mostMs] The longest wait. Default 5000.
 * @property {number} [attempts] Attempts in a row before giving up; 0: never reconnect. Default 12.
 */

/**
 * One wait before each attempt, each shortened at random by up to half.
 * @param {Backoff} [backoff]
 * @param {() => number} [random]
 * @returns {Generator<number, void>}
 */
export function* waitsMs({ firstMs = 100, mostMs = 5000, attempts = 12 } = {}, random = Math.random) {
  let waitMs = firstMs;
  for (let attempt = 0; attempt < attempts; attempt++) {
    yield waitMs * (0.5 + random() / 2);
    waitMs = Math.min(2 * waitMs, mostMs);
  }
}
