import { BargeinError } from "./failure.js";
import type { ClientMessage, ServerMessage, SessionCreate, SessionCreated, Summary } from "../types/messages.js";
import type { Token } from "./link.js";
import type { Backoff } from "./retrying.js";
/**
 * @import { ClientMessage, ErrorCode, ServerMessage, SessionCreate, SessionCreated, SessionUpdate,
 *   Summary } from "../types/messages.js"
 * @import { Waiting } from "./backlog.js"
 * @import { Token } from "./link.js"
 * @import { Backoff } from "./retrying.js"
 */
/** Whether what is sent goes out at once, waits for a connection, or cannot be sent any more. */
export declare const State: Readonly<{
    CONNECTED: "connected";
    AWAY: "away";
    OVER: "over";
}>;
export type Owner = {
    message: (message: ServerMessage) => void;
    state: (state: (typeof State)[keyof typeof State]) => void;
    /**
     * Samples, once it is over.
     */
    congestion: (behind: boolean, leftOut: number) => void;
    ended: (result: Summary | BargeinError | null) => void;
};
/**
 * Who is told what happens.
 * @typedef {object} Owner
 * @property {(message: ServerMessage) => void} message
 * @property {(state: (typeof State)[keyof typeof State]) => void} state
 * @property {(behind: boolean, leftOut: number) => void} congestion Samples, once it is over.
 * @property {(result: Summary | BargeinError | null) => void} ended
 */
/**
 * One session over as many connections as it takes.
 *
 * The agent's state and unanswered option changes are repeated after a resume, for they may have
 * been on their way when the connection broke; both may safely arrive twice.
 */
export declare class Lifeline {
    #private;
    /** @type {(typeof State)[keyof typeof State]} */
    state: (typeof State)[keyof typeof State];
    /** Samples of user audio handed over so far. */
    clock: number;
    /** @type {SessionCreated | null} The server's latest welcome. */
    created: SessionCreated | null;
    /**
     * @param {string} url
     * @param {Token | undefined} token
     * @param {SessionCreate} create
     * @param {Backoff | undefined} retry
     * @param {Owner} owner
     */
    constructor(url: string, token: Token | undefined, create: SessionCreate, retry: Backoff | undefined, owner: Owner);
    /** Connect and create the session. @throws {BargeinError} It could not be. */
    open(): Promise<void>;
    /** Leave nothing behind. The session itself lives on at the server for its resume window. */
    shut(): void;
    /**
     * One frame of each track, the same length each.
     * @param {Int16Array} user
     * @param {Int16Array} [agent]
     */
    sendAudio(user: Int16Array, agent?: Int16Array): void;
    /** @param {ClientMessage} message */
    send(message: ClientMessage): void;
    /** User audio that was left out. @param {number} samples */
    skip(samples: number): void;
}
