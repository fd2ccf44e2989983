/**
 * What was said while the connection was away: audio and messages, each with its moment.
 *
 * Moments are samples of user audio since the session began. When the session is taken up again
 * the server says where it stands. Audio from before that moment is left out, because the server
 * has filled it in as silence; a hole becomes an `audio.gap`.
 */
import type { ClientMessage } from "../types/messages.js";
export type Waiting = {
    at: number;
    user: Int16Array;
    agent?: Int16Array;
} | {
    at: number;
    message: ClientMessage;
};
/** @import { ClientMessage } from "../types/messages.js" */
/**
 * Something to be sent, and the moment at which it was handed over.
 * @typedef {{ at: number, user: Int16Array, agent?: Int16Array }
 *   | { at: number, message: ClientMessage }} Waiting
 */
/** The longest gap that one message may announce. */
export declare const MAX_GAP_MS = 60000;
/** Keeps everything in order; of the audio at most `bound` samples, of the messages the newest. */
export declare class Backlog {
    #private;
    /** @param {number} bound Samples of user audio. */
    constructor(bound: number);
    /** The moment of the oldest thing that waits; null: nothing does. */
    get start(): number;
    /** @param {Waiting} waiting */
    add(waiting: Waiting): void;
    /**
     * The session begins anew at `start`: moments count from there, those that messages name, too.
     * @param {number} start
     */
    beginAt(start: number): void;
    /**
     * All that waits, as it is to be sent to a server that stands at `position`.
     * @param {number} position
     * @param {number} clock This side's moment, where the server stands when all was sent.
     * @returns {Waiting[]}
     */
    take(position: number, clock: number): Waiting[];
}
/**
 * The messages that announce a hole.
 * @param {number} from
 * @param {number} to
 * @returns {{ at: number, message: ClientMessage }[]}
 */
export declare function gaps(from: number, to: number): {
    at: number;
    message: ClientMessage;
}[];
