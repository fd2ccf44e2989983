/** What happened in a session, as the timeline draws it; fed live or from a recording. */

import { Peaks } from "./peaks.js";

/** @import { ServerMessage, Verdict } from "../types/messages.js" */

/** @typedef {{ endMs: number, probability: number }} Frame The evidence up to a moment. */

/**
 * @typedef {object} Overlap
 * @property {number} id
 * @property {number} onsetMs
 * @property {number | null} endMs null: its sound goes on.
 * @property {Frame[]} frames
 * @property {Verdict | null} verdict
 */

/** @typedef {{ fromMs: number, toMs: number | null }} Span null: it goes on. */

const FRAME_MS = 25;

/** The sides, the overlaps, the probabilities and the verdicts of one session. */
export class Trace {
  user = new Peaks();
  agent = new Peaks();
  /** @type {Span[]} */
  agentTurns = [];
  /** @type {Overlap[]} */
  overlaps = [];
  /** @type {number | null} */
  threshold = null;
  #nowMs = 0;

  /** Where the session stands. */
  get durationMs() {
    return Math.max(this.#nowMs, this.user.durationMs);
  }

  /** @param {Int16Array} user @param {Int16Array} [agent] */
  addAudio(user, agent) {
    this.user.add(user);
    if (agent) this.agent.add(agent);
  }

  /** @param {number} atMs */
  agentStarted(atMs) {
    if (this.agentTurns.at(-1)?.toMs !== null) this.agentTurns.push({ fromMs: atMs, toMs: null });
  }

  /** @param {number} atMs */
  agentStopped(atMs) {
    const turn = this.agentTurns.at(-1);
    if (turn && turn.toMs === null) turn.toMs = atMs;
    for (const overlap of this.overlaps) overlap.endMs ??= atMs;
  }

  /** @param {ServerMessage} message */
  take(message) {
    if ("at_ms" in message) this.#nowMs = Math.max(this.#nowMs, message.at_ms);
    switch (message.type) {
      case "session.created":
      case "session.updated":
        this.threshold = message.options.threshold ?? this.threshold;
        break;
      case "overlap.started":
        this.overlaps.push({
          id: message.overlap_id, onsetMs: message.onset_ms, endMs: null, frames: [], verdict: null,
        });
        break;
      case "speech.stopped":
        for (const overlap of this.overlaps) overlap.endMs ??= message.at_ms;
        break;
      case "prediction":
        this.#predicted(message.overlap_id, message.at_ms, message.probabilities);
        break;
      case "interruption":
      case "non_interruption":
        this.#decided(message);
        break;
      default:
    }
  }

  /** @param {number} id */
  overlap(id) {
    return this.overlaps.find((overlap) => overlap.id === id);
  }

  /** @param {number} id @param {number} endMs @param {number[]} probabilities */
  #predicted(id, endMs, probabilities) {
    const overlap = this.overlap(id);
    if (!overlap) return;
    probabilities.forEach((probability, index) => {
      const at = endMs - (probabilities.length - 1 - index) * FRAME_MS;
      if (at > overlap.onsetMs) overlap.frames.push({ endMs: at, probability });
    });
  }

  /** @param {Verdict} verdict */
  #decided(verdict) {
    const overlap = this.overlap(verdict.overlap_id);
    if (!overlap) return;
    overlap.verdict = verdict;
    if (verdict.type === "non_interruption") overlap.endMs ??= verdict.at_ms;
    if (overlap.frames.length === 0) {
      overlap.frames = verdict.probabilities.map((probability, index) => ({
        endMs: verdict.onset_ms + (index + 1) * FRAME_MS, probability,
      }));
    }
  }
}
