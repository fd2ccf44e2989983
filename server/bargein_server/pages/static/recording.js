/** Makes a trace of a recording's files; the format is described beside the recorder. */

import { SAMPLES_PER_MS } from "./peaks.js";
import { Trace } from "./trace.js";
import { readWav } from "./wav.js";

/**
 * @import { Options, ServerMessage, Verdict } from "../types/messages.js"
 * @import { Evidence } from "./rejudge.js"
 */

/** @typedef {(name: string) => Promise<ArrayBuffer | null>} Reader One of the files; null: there is none. */

const FRAME_MS = 25;

/** One overlap as it was recorded, with all that was said about it. */
export class Judged {
  /** @type {Evidence} */
  evidence;

  /** @param {Verdict} verdict @param {number} minFrames */
  constructor(verdict, minFrames) {
    this.verdict = verdict;
    this.evidence = { predictions: [], minFrames };
  }

  /** Highest probability that the needed number of frames reached. */
  get best() {
    return this.verdict.probability;
  }
}

/** A recording that was read. */
export class Recording {
  trace = new Trace();
  /** @type {Judged[]} In the order of their verdicts. */
  judged = [];
  /** @type {Int16Array} */
  user = new Int16Array(0);
  /** @type {Int16Array | null} */
  agent = null;
  threshold;

  /** @param {string} name @param {any} header `session.json`. */
  constructor(name, header) {
    this.name = name;
    this.header = header;
    this.threshold = Number(header.options.threshold);
  }

  /**
   * @param {string} name
   * @param {Reader} read
   * @returns {Promise<Recording>}
   * @throws {Error} Files are missing or are no recording's.
   */
  static async open(name, read) {
    const [session, inputs, events, user, agent] = await Promise.all(
      ["session.json", "inputs.jsonl", "events.jsonl", "user.wav", "agent.wav"].map(read),
    );
    if (!session) throw new Error(`${name} has no session.json: not a recording`);
    if (!events) throw new Error(`${name} has no events.jsonl: nothing was decided, or it was left out`);
    const header = JSON.parse(text(session));
    if (header.format !== "bargein-recording") throw new Error(`${name}: session.json is not of a recording`);
    const recording = new Recording(name, header);
    if (user) recording.#hear("user", readWav(user));
    if (agent) recording.#hear("agent", readWav(agent));
    recording.#takeEvents(lines(events));
    if (inputs) recording.#takeInputs(lines(inputs));
    else recording.#takeProbabilities();
    recording.trace.threshold = recording.threshold;
    return recording;
  }

  /** @param {"user" | "agent"} side @param {Int16Array} samples */
  #hear(side, samples) {
    this[side] = samples;
    this.trace[side].add(samples);
  }

  /** @param {ServerMessage[]} events */
  #takeEvents(events) {
    let { min_frames } = /** @type {Options} */ (this.header.options);
    for (const event of events) {
      this.trace.take(event);
      if (event.type === "session.updated") min_frames = event.options.min_frames;
      if (event.type === "session.closed") for (const overlap of this.trace.overlaps) overlap.endMs ??= event.at_ms;
      if (event.type === "interruption" || event.type === "non_interruption") {
        this.judged.push(new Judged(event, min_frames));
      }
    }
  }

  /** The agent's turns, and what the model said in full. @param {any[]} inputs */
  #takeInputs(inputs) {
    /** @type {Map<number, number>} Where the evidence about an overlap ends. */
    const heard = new Map();
    /** @type {Set<number>} Overlaps whose answers do not count any more. */
    const abandoned = new Set();
    for (const overlap of this.trace.overlaps) overlap.frames = [];
    for (const input of inputs) {
      if (input.type === "agent_started") this.trace.agentStarted(input.at / SAMPLES_PER_MS);
      if (input.type === "agent_stopped") this.trace.agentStopped(input.at / SAMPLES_PER_MS);
      if (input.type === "agent_stopped" || input.type === "session_ended") {
        for (const id of heard.keys()) abandoned.add(id);
      }
      if (input.type === "prediction" && !abandoned.has(input.overlap_id)) this.#predicted(input, heard);
    }
    this.trace.agentStopped(this.trace.durationMs);
  }

  /** @param {any} input @param {Map<number, number>} heard */
  #predicted({ overlap_id, end, frames }, heard) {
    const overlap = this.trace.overlap(overlap_id);
    if (!overlap) return;
    const start = end - frames.length * FRAME_MS * SAMPLES_PER_MS;
    const fresh = heard.get(overlap_id) !== start;
    heard.set(overlap_id, end);
    if (fresh) overlap.frames = [];
    const endMs = end / SAMPLES_PER_MS;
    const since = frames.map((/** @type {number[]} */ [probability], /** @type {number} */ index) => ({
      endMs: endMs - (frames.length - 1 - index) * FRAME_MS, probability,
    })).filter((/** @type {{ endMs: number }} */ frame) => frame.endMs > overlap.onsetMs);
    overlap.frames.push(...since);
    const probabilities = since.map((/** @type {{ probability: number }} */ frame) => frame.probability);
    const judged = this.judged.find(({ verdict }) => verdict.overlap_id === overlap_id);
    judged?.evidence.predictions.push({ endMs, probabilities, fresh });
  }

  /** Without inputs: what the verdicts themselves tell. */
  #takeProbabilities() {
    for (const { verdict, evidence } of this.judged) {
      verdict.probabilities.forEach((probability, index) => {
        const endMs = verdict.onset_ms + (index + 1) * FRAME_MS;
        evidence.predictions.push({ endMs, probabilities: [probability], fresh: false });
      });
    }
  }
}

/** @param {ArrayBuffer} data */
const text = (data) => new TextDecoder().decode(data);

/** The lines of a file of JSON; a crash may have left the beginning of one more. @param {ArrayBuffer} data @returns {any[]} */
function lines(data) {
  return text(data).split("\n").slice(0, -1).filter(Boolean).map((line) => JSON.parse(line));
}
