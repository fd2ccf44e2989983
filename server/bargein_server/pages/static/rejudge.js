/**
 * What another threshold would have made of a recording, from its per-frame probabilities.
 *
 * The rule is the detector's: `min_frames` consecutive frames at or over the threshold, looked at
 * after each prediction. The model was asked no more once a verdict was given, so that a higher
 * threshold may run out of evidence; then nobody can tell from the recording alone.
 */

/** @import { NonInterruption, Verdict } from "../types/messages.js" */

/**
 * What the model said about one overlap, from its onset on.
 * @typedef {object} Evidence
 * @property {{ endMs: number, probabilities: number[], fresh: boolean }[]} predictions Those that
 *   counted, in order; `fresh`: evidence from before is void.
 * @property {number} minFrames
 */

/**
 * @typedef {{ type: "interruption", atMs: number, source: "model" | "vad" | "transcript" }
 *   | { type: "non_interruption", reason: NonInterruption["reason"] }
 *   | { type: "open" }} Outcome `open`: the recording does not reach far enough.
 */

/**
 * @param {Verdict} verdict As recorded.
 * @param {Evidence} evidence
 * @param {number} threshold
 * @returns {Outcome}
 */
export function rejudge(verdict, evidence, threshold) {
  const atMs = provenAt(evidence, threshold);
  const otherwise = verdict.type === "interruption" && verdict.source !== "model" ? verdict.at_ms : null;
  if (atMs !== null && (otherwise === null || atMs < otherwise)) {
    return { type: "interruption", atMs, source: "model" };
  }
  if (verdict.type === "non_interruption") return { type: "non_interruption", reason: verdict.reason };
  if (otherwise !== null) return { type: "interruption", atMs: otherwise, source: verdict.source };
  return { type: "open" };
}

/**
 * Whether a verdict would have been another one; earlier or later is not another.
 * @param {Verdict} verdict
 * @param {Outcome} outcome
 */
export function changes(verdict, outcome) {
  return outcome.type !== verdict.type;
}

/**
 * The end of the prediction that proves an interruption; null if none does.
 * @param {Evidence} evidence
 * @param {number} threshold
 * @returns {number | null}
 */
export function provenAt({ predictions, minFrames }, threshold) {
  let run = 0;
  for (const { endMs, probabilities, fresh } of predictions) {
    if (fresh) run = 0;
    let proven = false;
    for (const probability of probabilities) {
      run = probability >= threshold ? run + 1 : 0;
      proven ||= run >= minFrames;
    }
    if (proven) return endMs;
  }
  return null;
}
