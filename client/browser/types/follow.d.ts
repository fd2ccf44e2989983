import type { ErrorCode, EventsMessage } from "../types/messages.js";
import type { Token } from "./link.js";
import type { Backoff } from "./retrying.js";
export type FollowOptions = {
    token?: Token;
    /**
     * Only this one.
     */
    session?: string;
    /**
     * Only these types of messages.
     */
    types?: string[];
    /**
     * Go on after the event of this number; absent: the news only.
     */
    after?: number;
    /**
     * How often and how patiently to reconnect.
     */
    retry?: Backoff;
    /**
     * Called when there is no connection and another will
     * be tried; the next `subscribed` says that there is one again.
     */
    lost?: (code: ErrorCode) => void;
};
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
export declare function follow(url: string | URL, options?: FollowOptions): AsyncIterableIterator<EventsMessage>;
