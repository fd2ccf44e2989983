import type { ErrorCode } from "../types/messages.js";
export type Token = string | (() => string | Promise<string>);
export type Listener = {
    /**
     * A message came.
     */
    receive: (text: string) => void;
    /**
     * The connection is over; null: in order.
     */
    lost: (code: ErrorCode | null) => void;
};
/**
 * A token, or what gets a fresh one for each connection (from your backend, as a rule).
 * @typedef {string | (() => string | Promise<string>)} Token
 */
/**
 * What a connection tells.
 * @typedef {object} Listener
 * @property {(text: string) => void} receive A message came.
 * @property {(code: ErrorCode | null) => void} lost The connection is over; null: in order.
 */
/** One WebSocket to the server: opened, authorised, and its end told as an error code. */
export declare class Link {
    #private;
    /** @param {WebSocket} socket @param {Listener} listener */
    constructor(socket: WebSocket, listener: Listener);
    /** Give the connection up at once, without waiting for the other side; the listener is told. */
    abandon: () => void;
    /**
     * Connects. A browser does not tell why a server cannot be reached or refused the handshake.
     * @param {string} url
     * @param {Token | undefined} token
     * @param {Listener} listener
     * @returns {Promise<Link>}
     * @throws {BargeinError} Not reachable, or refused.
     */
    static open(url: string, token: Token | undefined, listener: Listener): Promise<Link>;
    /** Bytes that were sent and that the network has not taken yet. */
    get bufferedAmount(): number;
    /** @param {string | Uint8Array<ArrayBuffer>} data */
    send(data: string | Uint8Array<ArrayBuffer>): void;
    /** Close in order; nothing is told any more. */
    close(): void;
}
/**
 * The server's URL with `path`, unless it names a path already; http is read as ws.
 * @param {string | URL} url
 * @param {string} path
 * @returns {string}
 */
export declare function endpoint(url: string | URL, path: string): string;
