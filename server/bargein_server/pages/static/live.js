/**
 * What the server is deciding right now: `/v1/sessions` for the start, `/v1/events` from then on.
 *
 * LiveKit's sessions are in neither: a client of its kind tells neither what is an overlap nor when
 * it ends. They are asked for every other second.
 */

import { follow } from "../client/index.js";
import { ApiError } from "./api.js";
import { byId, el } from "./dom.js";
import { clock, describe, level } from "./words.js";

/**
 * @import { EventMessage, EventsMessage, ServerMessage, Verdict } from "../types/messages.js"
 * @import { Api } from "./api.js"
 */

/**
 * @typedef {object} Row
 * @property {string} id
 * @property {string} label
 * @property {number} atMs
 * @property {boolean} over
 * @property {string | null} recording Its name, once the session has ended.
 * @property {number} interruptions
 * @property {number} held
 * @property {Verdict[]} verdicts The latest ones.
 * @property {number | null} windows That LiveKit sent; null: another kind of session.
 * @property {HTMLTableRowElement} element
 */

/**
 * One of `/v1/livekit/sessions`.
 * @typedef {object} LivekitSession
 * @property {string} session_id
 * @property {string} [room]
 * @property {string} [agent]
 * @property {number} duration_ms
 * @property {number} windows
 * @property {number} interruptions
 */

const TYPES = [
  "session.created", "session.closed", "speech.started", "speech.stopped", "overlap.started",
  "interruption", "non_interruption", "false_interruption",
];
const STRIP = 16;
const ENDED_SHOWN = 12;
const ASK_EVERY_MS = 2000;

/** The view `#live`. */
export class LiveView {
  #api;
  /** @type {Map<string, Row>} */
  #rows = new Map();
  /** @type {AsyncIterableIterator<EventsMessage> | null} */
  #events = null;
  #entered = false;

  /** @param {Api} api */
  constructor(api) {
    this.#api = api;
  }

  enter() {
    this.#entered = true;
    if (!this.#events) void this.#watch();
  }

  leave() {
    this.#entered = false;
    void this.#events?.return?.();
    this.#events = null;
  }

  async #watch() {
    this.#tell("Connecting …", "idle");
    const { socketUrl, token } = this.#api;
    /** @type {AsyncIterableIterator<EventsMessage> | null} */
    let events = null;
    try {
      await this.#api.checkToken();
      if (!this.#entered || this.#events) return;
      const lost = () => this.#tell("The connection was lost; trying again …", "idle");
      events = this.#events = follow(socketUrl, { token, types: TYPES, lost });
      void this.#askForLivekit(events);
      for await (const message of events) {
        if (message.type === "subscribed") await this.#begin();
        else if (message.type === "event") this.#take(message);
        else this.#tell(`Missed ${message.count} events`, "idle");
      }
    } catch (error) {
      this.#tell(`Not connected: ${error instanceof Error ? error.message : error}`, "interruption");
    }
    if (this.#events === events) this.#events = null;
  }

  /** @param {AsyncIterableIterator<EventsMessage>} events Until they end. */
  async #askForLivekit(events) {
    while (this.#events === events) {
      try {
        const answer = await this.#api.get("/v1/livekit/sessions");
        if (this.#events === events) this.#takeLivekit((await answer.json()).sessions);
      } catch (error) {
        if (error instanceof ApiError) return; // another failure is the network's, and told already
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    }
  }

  /** @param {LivekitSession[]} sessions */
  #takeLivekit(sessions) {
    for (const { session_id, room, agent, duration_ms, windows, interruptions } of sessions) {
      const row = this.#row(session_id);
      row.label = labelOf({ ...(room && { room }), ...(agent && { agent }) });
      Object.assign(row, { atMs: duration_ms, windows, interruptions });
      this.#show(row);
    }
    const open = new Set(sessions.map(({ session_id }) => session_id));
    this.#endAllBut(open, (row) => row.windows !== null);
    this.#showEmpty();
  }

  /** Takes stock after a connection was made. */
  async #begin() {
    const { sessions } = await (await this.#api.get("/v1/sessions")).json();
    const open = new Set();
    for (const { session_id, at_ms, metadata, last_verdict } of sessions) {
      open.add(session_id);
      const row = this.#row(session_id);
      row.atMs = at_ms;
      row.label = labelOf(metadata);
      if (last_verdict && row.verdicts.length === 0) this.#count(row, last_verdict);
      this.#show(row);
    }
    this.#endAllBut(open, (row) => row.windows === null);
    this.#tell("Live", "held");
    this.#showEmpty();
  }

  /** @param {Set<string>} open @param {(row: Row) => boolean} ofThem */
  #endAllBut(open, ofThem) {
    for (const row of this.#rows.values()) {
      if (ofThem(row) && !open.has(row.id) && !row.over) this.#end(row);
    }
  }

  /** @param {EventMessage} message */
  #take({ session_id, event, metadata }) {
    const said = /** @type {ServerMessage} */ (/** @type {unknown} */ (event));
    if (said.type === "session.created") this.#rows.get(session_id)?.element.remove();
    if (said.type === "session.created") this.#rows.delete(session_id);
    const row = this.#row(session_id);
    if (metadata) row.label = labelOf(metadata);
    if ("at_ms" in said) row.atMs = Math.max(row.atMs, said.at_ms);
    if (said.type === "interruption" || said.type === "non_interruption") this.#count(row, said);
    if (said.type === "session.closed") {
      row.recording = said.summary.recording;
      this.#end(row);
    }
    this.#show(row);
    this.#showEmpty();
  }

  /** @param {Row} row @param {Verdict} verdict */
  #count(row, verdict) {
    if (verdict.type === "interruption") row.interruptions++;
    else row.held++;
    row.verdicts = [...row.verdicts, verdict].slice(-STRIP);
  }

  /** @param {Row} row */
  #end(row) {
    row.over = true;
    row.element.setAttribute("data-over", "");
    const ended = [...this.#rows.values()].filter(({ over }) => over);
    for (const old of ended.slice(0, Math.max(0, ended.length - ENDED_SHOWN))) {
      old.element.remove();
      this.#rows.delete(old.id);
    }
    this.#show(row);
  }

  /** @param {string} id @returns {Row} */
  #row(id) {
    const known = this.#rows.get(id);
    if (known) return known;
    const element = el("tr", { "data-session": id });
    /** @type {Row} */
    const row = {
      id, label: "", atMs: 0, over: false, recording: null, interruptions: 0, held: 0, verdicts: [],
      windows: null, element,
    };
    this.#rows.set(id, row);
    byId("live-rows", HTMLElement).prepend(element);
    return row;
  }

  /** @param {Row} row */
  #show(row) {
    const last = row.verdicts.at(-1);
    const strip = el("span", { class: "strip", "aria-hidden": "true" });
    for (const verdict of row.verdicts) {
      const { kind, name } = describe(verdict);
      strip.append(el("i", { "data-kind": kind, title: `${clock(verdict.at_ms)} ${name}` }));
    }
    const name = el("span", { class: "id" }, row.id);
    if (row.label) name.append(el("span", { class: "label" }, row.label));
    if (row.recording) {
      const target = `#recordings/${encodeURIComponent(row.recording)}`;
      name.append(el("a", { class: "label", href: target }, "Open the recording"));
    }
    const time = row.over ? `ended, ${clock(row.atMs, 0)}` : clock(row.atMs, 0);
    row.element.replaceChildren(
      cell("Session", name),
      cell("Audio", el("span", { class: "time" }, time)),
      cell("Latest", strip),
      cell("Interruptions", String(row.interruptions), "number"),
      cell("Held", row.windows === null ? String(row.held) : "–", "number"),
      cell("Last", last ? chip(last) : row.windows === null ? "–" : `LiveKit, ${row.windows} windows`),
      cell("Probability", level(last?.probability ?? null), "number"),
    );
  }

  #showEmpty() {
    byId("live-empty", HTMLElement).hidden = this.#rows.size > 0;
  }

  /** @param {string} text @param {string} mood */
  #tell(text, mood) {
    byId("live-state", HTMLElement).dataset.mood = mood;
    byId("live-state-text", HTMLElement).textContent = text;
  }
}

/** @param {string} label Of its column. @param {Node | string} content @param {string} [kind] */
const cell = (label, content, kind) => el("td", { "data-label": label, class: kind }, content);

/** @param {Verdict} verdict */
function chip(verdict) {
  const { kind, name } = describe(verdict);
  return el("span", { class: "chip", "data-kind": kind }, name);
}

/** @param {Record<string, unknown> | undefined} metadata */
function labelOf(metadata) {
  const parts = Object.entries(metadata ?? {}).filter(([, value]) => typeof value !== "object");
  return parts.map(([name, value]) => `${name}: ${value}`).join(" · ").slice(0, 120);
}
