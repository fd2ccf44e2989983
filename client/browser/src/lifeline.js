import { SAMPLE_RATE, frameBytes, toSamples } from "./audio.js";
import { Backlog, gaps } from "./backlog.js";
import { ERRORS } from "./errors.js";
import { BargeinError } from "./failure.js";
import { Link } from "./link.js";
import { Pressure } from "./pressure.js";
import { Advice, adviceFor, waitsMs } from "./retrying.js";

/**
 * @import { ClientMessage, ErrorCode, ServerMessage, SessionCreate, SessionCreated, SessionUpdate,
 *   Summary } from "../types/messages.js"
 * @import { Waiting } from "./backlog.js"
 * @import { Token } from "./link.js"
 * @import { Backoff } from "./retrying.js"
 */

/** Whether what is sent goes out at once, waits for a connection, or cannot be sent any more. */
export const State = Object.freeze({ CONNECTED: "connected", AWAY: "away", OVER: "over" });

/** Audio kept while there is no connection; older audio could not stop an agent in time. */
const BACKLOG_SAMPLES = 2 * SAMPLE_RATE;
const WELCOME_TIMEOUT_MS = 10_000;

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
export class Lifeline {
  /** @type {(typeof State)[keyof typeof State]} */
  state = State.AWAY;
  /** Samples of user audio handed over so far. */
  clock = 0;
  /** @type {SessionCreated | null} The server's latest welcome. */
  created = null;

  #url;
  #token;
  #create;
  #retry;
  #owner;
  /** @type {Link | null} */
  #link = null;
  #backlog = new Backlog(BACKLOG_SAMPLES);
  #lastSeq = 0;
  /** @type {{ code: string, message: string } | null} */
  #lastError = null;
  /** @type {"agent.started" | "agent.stopped" | null} */
  #agent = null;
  /** @type {SessionUpdate[]} */
  #unanswered = [];
  /** Whether the session was asked to close. */
  #closing = false;
  #pressure;
  /** @type {((error: BargeinError | null) => void) | null} Settles the wait for a welcome. */
  #welcome = null;

  /**
   * @param {string} url
   * @param {Token | undefined} token
   * @param {SessionCreate} create
   * @param {Backoff | undefined} retry
   * @param {Owner} owner
   */
  constructor(url, token, create, retry, owner) {
    this.#url = url;
    this.#token = token;
    this.#create = create;
    this.#retry = retry;
    this.#owner = owner;
    this.#pressure = new Pressure(this.#tracks, owner.congestion);
  }

  /** Connect and create the session. @throws {BargeinError} It could not be. */
  async open() {
    await this.#connect(this.#create);
    if (!this.#over()) this.#become(State.CONNECTED);
  }

  /** Leave nothing behind. The session itself lives on at the server for its resume window. */
  shut() {
    this.#finish(null);
  }

  /**
   * One frame of each track, the same length each.
   * @param {Int16Array} user
   * @param {Int16Array} [agent]
   */
  sendAudio(user, agent) {
    const waiting = { at: this.clock, user, ...(agent && { agent }) };
    this.clock += user.length;
    if (this.state === State.AWAY) this.#backlog.add(waiting);
    else if (!this.#pressure.admits(this.#link?.bufferedAmount ?? 0)) this.#leaveOut(user.length);
    else this.#put(waiting);
  }

  /** @param {ClientMessage} message */
  send(message) {
    const waiting = { at: this.clock, message };
    this.#closing ||= message.type === "session.close";
    if (this.state === State.AWAY && message.type === "session.close") return; // comes last
    if (this.state === State.AWAY) this.#backlog.add(waiting);
    else this.#put(waiting);
  }

  /** User audio that was left out. @param {number} samples */
  skip(samples) {
    const from = this.clock;
    this.clock += samples;
    if (this.state === State.AWAY) return; // the backlog sees holes by itself
    for (const gap of gaps(from, this.clock)) this.#put(gap);
  }

  // ------------------------------------------------------------------ sending

  /** @param {Waiting} waiting */
  #put(waiting) {
    const link = this.#link;
    if (link === null) return;
    for (const gap of gaps(0, this.#pressure.takeUnreported())) this.#put(gap);
    if ("message" in waiting) {
      this.#remember(waiting.message);
      link.send(JSON.stringify(waiting.message));
      return;
    }
    const two = this.#tracks === 2;
    // The reference goes first: it has to be there when the user's audio is judged.
    if (two && waiting.agent) link.send(frameBytes(waiting.agent, "agent", true));
    link.send(frameBytes(waiting.user, "user", two));
  }

  /** @param {number} samples */
  #leaveOut(samples) {
    this.#pressure.leaveOut(samples);
    if (this.#pressure.stalled) this.#link?.abandon();
  }

  /** What has to be repeated if it turns out not to have arrived. @param {ClientMessage} message */
  #remember(message) {
    if (message.type === "agent.started" || message.type === "agent.stopped") {
      this.#agent = message.type;
    } else if (message.type === "session.update") this.#unanswered.push(message);
  }

  get #tracks() {
    return this.#create.audio?.tracks?.length ?? 1;
  }

  // ------------------------------------------------------------------ one connection

  /** @param {SessionCreate} create @throws {BargeinError} */
  async #connect(create) {
    const link = await Link.open(this.#url, this.#token, {
      receive: (text) => this.#take(text),
      lost: (code) => this.#lost(code),
    });
    if (this.state === State.OVER) {
      link.close();
      return;
    }
    this.#link = link;
    const welcome = new Promise((resolve, reject) => {
      this.#welcome = (error) => (error ? reject(error) : resolve(undefined));
    });
    const late = new BargeinError("connection_lost", "the server does not answer");
    const timer = setTimeout(() => this.#welcome?.(late), WELCOME_TIMEOUT_MS);
    try {
      link.send(JSON.stringify(create));
      await welcome;
    } catch (error) {
      link.close();
      throw error;
    } finally {
      clearTimeout(timer);
      this.#welcome = null;
    }
  }

  /** @param {string} text */
  #take(text) {
    const message = /** @type {ServerMessage} */ (JSON.parse(text));
    if (message.seq > 0 && message.seq <= this.#lastSeq) return;
    this.#lastSeq = Math.max(this.#lastSeq, message.seq ?? 0);
    if (message.type === "session.created") this.created = message;
    else if (message.type === "session.updated") {
      this.#unanswered.shift();
      this.#create = { ...this.#create, options: message.options };
    } else if (message.type === "error") {
      this.#lastError = message;
      if (message.code === "invalid_options") this.#unanswered.shift();
    }
    this.#owner.message(message);
    if (message.type === "session.created") this.#welcome?.(null);
    if (message.type === "error") this.#welcome?.(this.#error(known(message.code)));
    if (message.type === "session.closed") this.#finish(message.summary);
  }

  /** @param {ErrorCode | null} code */
  #lost(code) {
    this.#link = null;
    this.#pressure.reset();
    if (this.#welcome) this.#welcome(this.#error(code ?? "connection_lost"));
    else if (this.state === State.CONNECTED) {
      if (code === null) this.#finish(null);
      else void this.#return(code);
    }
  }

  // ------------------------------------------------------------------ from one to the next

  /** Connect again as the protocol advises for `code`. @param {ErrorCode} code */
  async #return(code) {
    this.#become(State.AWAY);
    let error = this.#error(code);
    let advice = adviceFor(code, false);
    for (const waitMs of waitsMs(this.#retry)) {
      if (advice === Advice.GIVE_UP) break;
      if (this.#closing && advice === Advice.BEGIN_ANEW) return this.#finish(null); // it is gone
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      if (this.#over()) return;
      try {
        await (advice === Advice.RESUME ? this.#resume() : this.#beginAnew());
        return;
      } catch (failure) {
        if (!(failure instanceof BargeinError)) throw failure;
        error = failure;
        const next = adviceFor(failure.code, advice === Advice.RESUME);
        if (next !== Advice.RESUME) advice = next;
      }
    }
    this.#finish(error);
  }

  async #resume() {
    const token = this.created?.resume_token ?? "";
    const resume = { resume: { token, after: this.#lastSeq } };
    const session_id = this.created?.session_id ?? "";
    await this.#connect(this.#create.attach ? this.#create : { ...this.#create, session_id, ...resume });
    const position = toSamples(this.created?.at_ms ?? 0);
    this.clock = Math.max(this.clock, position);
    this.#catchUp(position);
  }

  async #beginAnew() {
    this.#lastSeq = 0;
    await this.#connect(this.#create);
    const base = this.#backlog.start ?? this.clock;
    this.#backlog.beginAt(base);
    this.clock -= base;
    this.#catchUp(0);
  }

  /** Send what has waited. @param {number} position Where the server stands. */
  #catchUp(position) {
    if (this.#over()) return;
    const updates = this.#unanswered;
    this.#unanswered = [];
    if (this.#agent) this.#put({ at: position, message: { type: this.#agent } });
    for (const message of updates) this.#put({ at: position, message });
    for (const waiting of this.#backlog.take(position, this.clock)) this.#put(waiting);
    if (this.#closing) this.#put({ at: this.clock, message: { type: "session.close" } });
    this.#become(State.CONNECTED);
  }

  // ------------------------------------------------------------------ the end

  #over() {
    return this.state === State.OVER;
  }

  /** @param {Summary | BargeinError | null} result */
  #finish(result) {
    if (this.#over()) return;
    this.#become(State.OVER);
    this.#link?.close();
    this.#link = null;
    this.#owner.ended(result);
  }

  /** @param {(typeof State)[keyof typeof State]} state */
  #become(state) {
    this.state = state;
    this.#owner.state(state);
  }

  /**
   * The error behind a lost connection, in the server's own words if it had any.
   * @param {ErrorCode} code
   */
  #error(code) {
    const said = this.#lastError?.code === code ? this.#lastError.message : undefined;
    return new BargeinError(code, said);
  }
}

/** A code of a later version is a fault of the server as far as this one knows. @param {string} code */
const known = (code) => /** @type {ErrorCode} */ (code in ERRORS ? code : "internal_error");
