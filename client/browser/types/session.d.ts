import { BargeinError } from "./failure.js";
import type { Options, OptionsUpdate, ServerMessage, ServerMessageMap, Summary } from "../types/messages.js";
import type { Token } from "./link.js";
import type { Backoff } from "./retrying.js";
export type OwnEventMap = {
    /**
     * What is sent goes out at once,
     * waits for a new connection, or cannot be sent any more.
     */
    connection: {
        state: "connected" | "away" | "over";
    };
    /**
     * The network does not keep up, so
     * that audio is left out; or it does again, and so much was.
     */
    congestion: {
        behind: boolean;
        dropped_ms: number;
    };
    /**
     * The session is over without having been closed.
     */
    lost: BargeinError;
};
export type SessionEventMap = ServerMessageMap & OwnEventMap;
export type ConnectOptions = {
    /**
     * Not needed where the server has no keys. Never an API secret.
     */
    token?: Token;
    /**
     * Settings that differ from the server's.
     */
    options?: OptionsUpdate | null;
    /**
     * Whether the agent's audio is sent as well, as an echo reference.
     */
    reference?: boolean;
    /**
     * A name of your choice; absent: the server makes one up.
     */
    sessionId?: string;
    /**
     * Join the running session `sessionId` by its `attach_token`.
     */
    attach?: {
        token: string;
    };
    /**
     * Labels for subscribers and recordings.
     */
    metadata?: Record<string, unknown>;
    /**
     * Ask for a recording.
     */
    record?: boolean;
    /**
     * How often and how patiently to reconnect.
     */
    retry?: Backoff;
};
/**
 * Opens a session, or joins one.
 * @param {string | URL} url The server, e.g. `wss://voice.example.com`.
 * @param {ConnectOptions} [options]
 * @returns {Promise<Session>}
 * @throws {BargeinError} The server cannot be reached or refuses; nothing is tried again.
 */
export declare function connect(url: string | URL, options?: ConnectOptions): Promise<Session>;
/**
 * An open session; made by `connect`.
 *
 * Listen to its events, or iterate over it (`for await (const message of session)`) for the
 * server's messages from that moment on. It reconnects by itself and resumes.
 */
export declare class Session extends EventTarget {
    #private;
    /** Settles when the session is open or could not be opened. */
    opened: Promise<void>;
    /**
     * @param {string | URL} url
     * @param {ConnectOptions} options
     */
    constructor(url: string | URL, { token, retry, ...wishes }: ConnectOptions);
    /** Whether what is sent goes out at once, waits for a connection, or cannot be sent. */
    get state(): "away" | "connected" | "over";
    /** The server's latest welcome: tokens, model, server. */
    get created(): import("../types/messages.js").SessionCreated;
    /** The session's name. */
    get id(): string;
    /** The effective options, all of them. */
    get options(): Options;
    /** This side's audio clock: user audio and gaps handed over so far. */
    get atMs(): number;
    /** Resolves at the end: to the summary, or to null if the server closed without one. */
    get ended(): Promise<Summary | null>;
    /**
     * Send user audio that follows what was sent before, 16 kHz mono, and with it the agent's.
     * @param {Int16Array} user 5 ms to 1 s; `Capture` makes 20 ms.
     * @param {Int16Array} [agent] What the loudspeaker plays, of the same length, if the session was
     *   opened with `reference`.
     */
    sendAudio(user: Int16Array, agent?: Int16Array): void;
    /** User audio that was left out (muted, lost); it counts as silence. @param {number} durationMs */
    gap(durationMs: number): void;
    /** The agent became audible (playout, not generation). @param {number} [atMs] Absent: now. */
    agentStarted(atMs?: number): void;
    /** The agent ceased to be audible. @param {number} [atMs] Absent: now. */
    agentStopped(atMs?: number): void;
    /**
     * Your own VAD heard the user begin, `speechDurationMs` before `atMs`.
     * @param {{ atMs?: number, speechDurationMs?: number }} [when]
     */
    overlapStarted({ atMs, speechDurationMs }?: {
        atMs?: number;
        speechDurationMs?: number;
    }): void;
    /** Your own VAD heard the user stop. @param {number} [atMs] Absent: now. */
    overlapEnded(atMs?: number): void;
    /**
     * Words of the user; they come back as `transcript.released` or `transcript.dropped`.
     * @param {string} id Your name for them.
     * @param {string} text
     * @param {{ startMs?: number, endMs?: number, final?: boolean }} [more]
     */
    transcript(id: string, text: string, { startMs, endMs, final }?: {
        startMs?: number;
        endMs?: number;
        final?: boolean;
    }): void;
    /**
     * Change options in place; the answer is `session.updated`, or an `error`.
     * @param {OptionsUpdate | null} options null: back to the server's own.
     */
    update(options: OptionsUpdate | null): void;
    /**
     * End the session and wait for its summary.
     * @returns {Promise<Summary | null>}
     */
    close(): Promise<Summary | null>;
    /** Drop the connection and everything that waits; the server ends the session by itself. */
    abandon(): void;
    /**
     * The server's messages from now on; ends with the session.
     * @returns {AsyncIterableIterator<ServerMessage>}
     */
    [Symbol.asyncIterator](): AsyncIterableIterator<ServerMessage>;
    /**
     * @template {keyof SessionEventMap} Kind
     * @overload
     * @param {Kind} type
     * @param {(event: CustomEvent<SessionEventMap[Kind]>) => void} listener
     * @param {boolean | AddEventListenerOptions} [options]
     * @returns {void}
     */
    /**
     * @overload
     * @param {string} type
     * @param {EventListenerOrEventListenerObject | null} listener
     * @param {boolean | AddEventListenerOptions} [options]
     * @returns {void}
     */
    /**
     * @param {string} type
     * @param {any} listener
     * @param {boolean | AddEventListenerOptions} [options]
     */
    addEventListener<Kind extends keyof SessionEventMap>(type: Kind, listener: (event: CustomEvent<SessionEventMap[Kind]>) => void, options?: boolean | AddEventListenerOptions): void;
    /**
     * @template {keyof SessionEventMap} Kind
     * @overload
     * @param {Kind} type
     * @param {(event: CustomEvent<SessionEventMap[Kind]>) => void} listener
     * @param {boolean | AddEventListenerOptions} [options]
     * @returns {void}
     */
    /**
     * @overload
     * @param {string} type
     * @param {EventListenerOrEventListenerObject | null} listener
     * @param {boolean | AddEventListenerOptions} [options]
     * @returns {void}
     */
    /**
     * @param {string} type
     * @param {any} listener
     * @param {boolean | AddEventListenerOptions} [options]
     */
    addEventListener(type: string, listener: EventListenerOrEventListenerObject | null, options?: boolean | AddEventListenerOptions): void;
}
export type Deferred<Value> = {
    promise: Promise<Value>;
    resolve: (value: Value) => void;
    reject: (error: Error) => void;
};
