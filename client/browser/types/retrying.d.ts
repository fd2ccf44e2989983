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
import type { ErrorCode } from "../types/messages.js";
/** @import { ErrorCode } from "../types/messages.js" */
/** What to do after a connection ended with an error. */
export declare const Advice: Readonly<{
    GIVE_UP: "give up";
    RESUME: "resume";
    BEGIN_ANEW: "begin anew";
}>;
/**
 * @param {ErrorCode} code
 * @param {boolean} resuming Whether the error is the answer to an attempt to resume.
 * @returns {(typeof Advice)[keyof typeof Advice]}
 */
export declare function adviceFor(code: ErrorCode, resuming: boolean): (typeof Advice)[keyof typeof Advice];
export type Backoff = {
    /**
     * The first wait; each further one is twice as long. Default 100.
     */
    firstMs?: number;
    /**
     * The longest wait. Default 5000.
     */
    mostMs?: number;
    /**
     * Attempts in a row before giving up; 0: never reconnect. Default 12.
     */
    attempts?: number;
};
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
export declare function waitsMs({ firstMs, mostMs, attempts }?: Backoff, random?: () => number): Generator<number, void>;
