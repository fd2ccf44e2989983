import { MAX_FRAME_SAMPLES, MIN_FRAME_SAMPLES, SAMPLE_RATE, toMs, toSamples } from "./audio.js";
import { BargeinError } from "./failure.js";
import { Lifeline, State } from "./lifeline.js";
import { endpoint } from "./link.js";
import { MessageQueue } from "./queue.js";

/**
 * @import { Options, OptionsUpdate, ServerMessage, ServerMessageMap, SessionCreate, Summary }
 *   from "../types/messages.js"
 * @import { Token } from "./link.js"
 * @import { Backoff } from "./retrying.js"
 */

/**
 * What a session dispatches beside the server's messages.
 * @typedef {object} OwnEventMap
 * @property {{ state: "connected" | "away" | "over" }} connection What is sent goes out at once,
 *   waits for a new connection, or cannot be sent any more.
 * @property {{ behind: boolean, dropped_ms: number }} congestion The network does not keep up, so
 *   that audio is left out; or it does again, and so much was.
 * @property {BargeinError} lost The session is over without having been closed.
 */

/**
 * Everything that a session dispatches: the server's messages by their type, each as the `detail`
 * of its event as it is on the wire, and the session's own events.
 * @typedef {ServerMessageMap & OwnEventMap} SessionEventMap
 */

/**
 * How to connect.
 * @typedef {object} ConnectOptions
 * @property {Token} [token] Not needed where the server has no keys. Never an API secret.
 * @property {OptionsUpdate | null} [options] Settings that differ from the server's.
 * @property {boolean} [reference] Whether the agent's audio is sent as well, as an echo reference.
 * @property {string} [sessionId] A name of your choice; absent: the server makes one up.
 * @property {{ token: string }} [attach] Join the running session `sessionId` by its `attach_token`.
 * @property {Record<string, unknown>} [metadata] Labels for subscribers and recordings.
 * @property {boolean} [record] Ask for a recording.
 * @property {Backoff} [retry] How often and how patiently to reconnect.
 */

const CLOSE_TIMEOUT_MS = 10_000;

/**
 * Opens a session, or joins one.
 * @param {string | URL} url The server, e.g. `wss://voice.example.com`.
 * @param {ConnectOptions} [options]
 * @returns {Promise<Session>}
 * @throws {BargeinError} The server cannot be reached or refuses; nothing is tried again.
 */
export async function connect(url, options = {}) {
  const session = new Session(url, options);
  await session.opened;
  return session;
}

/**
 * An open session; made by `connect`.
 *
 * Listen to its events, or iterate over it (`for await (const message of session)`) for the
 * server's messages from that moment on. It reconnects by itself and resumes.
 */
export class Session extends EventTarget {
  #lifeline;
  /** @type {Set<MessageQueue<ServerMessage>>} */
  #readers = new Set();
  /** @type {Options | null} */
  #options = null;
  /** @type {BargeinError | undefined} Why the session was lost. */
  #error;
  /** @type {Deferred<Summary | null>} */
  #ended = deferred();

  /**
   * @param {string | URL} url
   * @param {ConnectOptions} options
   */
  constructor(url, { token, retry, ...wishes }) {
    super();
    this.#ended.promise.catch(() => {}); // nobody has to wait for it
    this.#lifeline = new Lifeline(
      endpoint(url, "/v1/session"), token, createMessage(wishes), retry, {
        message: (message) => this.#dispatch(message),
        state: (state) => this.#emit("connection", { state }),
        congestion: (behind, leftOut) =>
          this.#emit("congestion", { behind, dropped_ms: toMs(leftOut) }),
        ended: (result) => this.#finish(result),
      },
    );
    /** Settles when the session is open or could not be opened. */
    this.opened = this.#lifeline.open();
  }

  // ------------------------------------------------------------------ what is known

  /** Whether what is sent goes out at once, waits for a connection, or cannot be sent. */
  get state() {
    return this.#lifeline.state;
  }

  /** The server's latest welcome: tokens, model, server. */
  get created() {
    const created = this.#lifeline.created;
    if (created === null) throw new BargeinError("not_open", "the session is not open yet");
    return created;
  }

  /** The session's name. */
  get id() {
    return this.created.session_id;
  }

  /** The effective options, all of them. */
  get options() {
    return this.#options ?? this.created.options;
  }

  /** This side's audio clock: user audio and gaps handed over so far. */
  get atMs() {
    return toMs(this.#lifeline.clock);
  }

  /** Resolves at the end: to the summary, or to null if the server closed without one. */
  get ended() {
    return this.#ended.promise;
  }

  // ------------------------------------------------------------------ what to say

  /**
   * Send user audio that follows what was sent before, 16 kHz mono, and with it the agent's.
   * @param {Int16Array} user 5 ms to 1 s; `Capture` makes 20 ms.
   * @param {Int16Array} [agent] What the loudspeaker plays, of the same length, if the session was
   *   opened with `reference`.
   */
  sendAudio(user, agent) {
    this.#requireLife();
    if (user.length < MIN_FRAME_SAMPLES || user.length > MAX_FRAME_SAMPLES) {
      throw new RangeError(`an audio frame holds 80 to ${MAX_FRAME_SAMPLES} samples`);
    }
    if (agent && agent.length !== user.length) throw new RangeError("the two tracks differ in length");
    this.#lifeline.sendAudio(user, agent);
  }

  /** User audio that was left out (muted, lost); it counts as silence. @param {number} durationMs */
  gap(durationMs) {
    this.#requireLife();
    this.#lifeline.skip(toSamples(durationMs));
  }

  /** The agent became audible (playout, not generation). @param {number} [atMs] Absent: now. */
  agentStarted(atMs) {
    this.#say({ type: "agent.started", ...(atMs !== undefined && { at_ms: atMs }) });
  }

  /** The agent ceased to be audible. @param {number} [atMs] Absent: now. */
  agentStopped(atMs) {
    this.#say({ type: "agent.stopped", ...(atMs !== undefined && { at_ms: atMs }) });
  }

  /**
   * Your own VAD heard the user begin, `speechDurationMs` before `atMs`.
   * @param {{ atMs?: number, speechDurationMs?: number }} [when]
   */
  overlapStarted({ atMs, speechDurationMs = 0 } = {}) {
    const at = atMs === undefined ? {} : { at_ms: atMs };
    this.#say({ type: "overlap.started", speech_duration_ms: speechDurationMs, ...at });
  }

  /** Your own VAD heard the user stop. @param {number} [atMs] Absent: now. */
  overlapEnded(atMs) {
    this.#say({ type: "overlap.ended", ...(atMs !== undefined && { at_ms: atMs }) });
  }

  /**
   * Words of the user; they come back as `transcript.released` or `transcript.dropped`.
   * @param {string} id Your name for them.
   * @param {string} text
   * @param {{ startMs?: number, endMs?: number, final?: boolean }} [more]
   */
  transcript(id, text, { startMs, endMs, final = true } = {}) {
    this.#say({
      type: "transcript", id, text, final,
      ...(startMs !== undefined && { start_ms: startMs }),
      ...(endMs !== undefined && { end_ms: endMs }),
    });
  }

  /**
   * Change options in place; the answer is `session.updated`, or an `error`.
   * @param {OptionsUpdate | null} options null: back to the server's own.
   */
  update(options) {
    this.#say({ type: "session.update", options });
  }

  /**
   * End the session and wait for its summary.
   * @returns {Promise<Summary | null>}
   */
  async close() {
    if (this.state !== State.OVER) this.#lifeline.send({ type: "session.close" });
    const timer = setTimeout(() => this.#lifeline.shut(), CLOSE_TIMEOUT_MS);
    return this.ended.finally(() => clearTimeout(timer));
  }

  /** Drop the connection and everything that waits; the server ends the session by itself. */
  abandon() {
    this.#lifeline.shut();
  }

  // ------------------------------------------------------------------ what comes back

  /**
   * The server's messages from now on; ends with the session.
   * @returns {AsyncIterableIterator<ServerMessage>}
   */
  [Symbol.asyncIterator]() {
    /** @type {MessageQueue<ServerMessage>} */
    const queue = new MessageQueue(() => this.#readers.delete(queue));
    if (this.state === State.OVER) queue.end(this.#error);
    else this.#readers.add(queue);
    return queue;
  }

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
  addEventListener(type, listener, options) {
    super.addEventListener(type, listener, options);
  }

  // ------------------------------------------------------------------

  /** @param {import("../types/messages.js").ClientMessage} message */
  #say(message) {
    this.#requireLife();
    this.#lifeline.send(message);
  }

  #requireLife() {
    if (this.state === State.OVER) {
      throw new BargeinError("unexpected_message", "the session is closed");
    }
  }

  /** @param {ServerMessage} message */
  #dispatch(message) {
    if (message.type === "session.updated" || message.type === "session.created") {
      this.#options = message.options;
    }
    for (const reader of this.#readers) reader.put(message);
    this.#emit(message.type, message);
  }

  /** @param {Summary | BargeinError | null} result */
  #finish(result) {
    const error = result instanceof BargeinError ? result : undefined;
    this.#error = error;
    for (const reader of this.#readers) reader.end(error);
    this.#readers.clear();
    if (error) {
      this.#ended.reject(error);
      this.#emit("lost", error);
    } else this.#ended.resolve(/** @type {Summary | null} */ (result));
  }

  /**
   * @template {keyof SessionEventMap} Kind
   * @param {Kind} type
   * @param {SessionEventMap[Kind]} detail
   */
  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * @param {Omit<ConnectOptions, "token" | "retry">} wishes
 * @returns {SessionCreate}
 */
function createMessage({ options, reference, sessionId, attach, metadata, record }) {
  return {
    type: "session.create",
    audio: {
      encoding: "s16le",
      sample_rate: SAMPLE_RATE,
      tracks: reference ? ["user", "agent"] : ["user"],
    },
    ...(options !== undefined && { options }),
    ...(sessionId !== undefined && { session_id: sessionId }),
    ...(attach && { attach }),
    ...(metadata && { metadata }),
    ...(record && { record }),
  };
}

/**
 * A promise, and the means to settle it.
 * @template Value
 * @typedef {object} Deferred
 * @property {Promise<Value>} promise
 * @property {(value: Value) => void} resolve
 * @property {(error: Error) => void} reject
 */

/**
 * @template Value
 * @returns {Deferred<Value>}
 */
function deferred() {
  const parts = /** @type {Deferred<Value>} */ ({});
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
}
