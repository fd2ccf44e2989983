/** What to do when the network does not take audio as fast as it comes: leave audio out, and say so. */

import { SAMPLE_RATE } from "./audio.js";

/** The network is behind when it has not taken this much audio … */
const FULL_SAMPLES = 2 * SAMPLE_RATE;
/** … and has caught up when it has taken all but this much. */
const DRAINED_SAMPLES = SAMPLE_RATE / 2;
/** A connection that takes nothing for this much audio is worth a new one. */
const STALLED_SAMPLES = 10 * SAMPLE_RATE;

/** Keeps account of one connection. */
export class Pressure {
  #bytesPerSample;
  #onchange;
  #behind = false;
  /** Samples left out since the network fell behind … */
  #leftOut = 0;
  /** … and those among them that the server has not been told of. */
  #unreported = 0;

  /**
   * @param {number} tracks
   * @param {(behind: boolean, leftOut: number) => void} onchange The network fell behind, or has
   *   caught up, and so many samples were left out.
   */
  constructor(tracks, onchange) {
    this.#bytesPerSample = 2 * tracks;
    this.#onchange = onchange;
  }

  /** Whether more audio may be sent. @param {number} bufferedAmount Bytes that wait in the socket. */
  admits(bufferedAmount) {
    const bound = this.#behind ? DRAINED_SAMPLES : FULL_SAMPLES;
    const behind = bufferedAmount > bound * this.#bytesPerSample;
    if (behind !== this.#behind) {
      this.#behind = behind;
      this.#onchange(behind, this.#leftOut);
      this.#leftOut = 0;
    }
    return !behind;
  }

  /** @param {number} samples */
  leaveOut(samples) {
    this.#leftOut += samples;
    this.#unreported += samples;
  }

  /** Whether the connection seems dead. */
  get stalled() {
    return this.#leftOut > STALLED_SAMPLES;
  }

  /** Samples that have to be announced as a gap before anything else is sent. */
  takeUnreported() {
    const samples = this.#unreported;
    this.#unreported = 0;
    return samples;
  }

  /** Another connection: nothing waits. */
  reset() {
    if (this.#behind) this.#onchange(false, this.#leftOut);
    this.#behind = false;
    this.#leftOut = this.#unreported = 0;
  }
}
