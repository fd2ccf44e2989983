/** How verdicts and numbers are put into words. */

/** @import { Interruption, NonInterruption, Verdict } from "../types/messages.js" */

/** @typedef {"interruption" | "held" | "unknown"} Kind Whether the agent should stop, go on, or nobody can tell. */

/** @type {Record<NonInterruption["reason"], { kind: Kind, name: string, why: string }>} */
const REASONS = {
  backchannel: { kind: "held", name: "Backchannel", why: "listening along" },
  noise: { kind: "held", name: "Noise", why: "no words" },
  echo: { kind: "held", name: "Echo", why: "the agent’s own voice" },
  too_short: { kind: "held", name: "Too short", why: "too little sound to ask the model" },
  agent_stopped: { kind: "unknown", name: "Undecided", why: "the agent stopped first" },
  session_closed: { kind: "unknown", name: "Undecided", why: "the session ended first" },
};

/** @type {Record<Interruption["source"], string>} */
const SOURCES = {
  model: "by the model",
  vad: "by the length of the sound",
  transcript: "by the words",
};

/**
 * @param {Verdict} verdict
 * @returns {{ kind: Kind, name: string, why: string }}
 */
export function describe(verdict) {
  if (verdict.type === "non_interruption") return REASONS[verdict.reason];
  const after = `${Math.round(verdict.detection_delay_ms)} ms after it began`;
  return { kind: "interruption", name: "Interruption", why: `${after}, ${SOURCES[verdict.source]}` };
}

/** A probability as thresholds are written, too. @param {number | null} probability */
export const level = (probability) => (probability === null ? "–" : probability.toFixed(2));

/** @param {number} ms @param {number} [digits] */
export function clock(ms, digits = 1) {
  const unit = 10 ** digits;
  const rounded = Math.round((Math.max(0, ms) / 1000) * unit) / unit;
  const minutes = Math.floor(rounded / 60);
  const seconds = (rounded - minutes * 60).toFixed(digits).padStart(digits ? digits + 3 : 2, "0");
  return `${minutes}:${seconds}`;
}
