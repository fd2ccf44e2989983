/** The outline of a long sound: lowest and highest sample of every 10 ms, at any zoom. */

export const PEAK_MS = 10;
export const SAMPLES_PER_MS = 16;
const SAMPLES = PEAK_MS * SAMPLES_PER_MS;

/** Grows as sound is added; 16 kHz. */
export class Peaks {
  #low = new Int16Array(4096);
  #high = new Int16Array(4096);
  #samples = 0;

  /** Length of the sound. */
  get durationMs() {
    return this.#samples / SAMPLES_PER_MS;
  }

  /** @param {Int16Array} samples */
  add(samples) {
    const last = Math.ceil((this.#samples + samples.length) / SAMPLES);
    if (last > this.#low.length) this.#grow(Math.max(last, 2 * this.#low.length));
    for (const sample of samples) {
      const peak = Math.floor(this.#samples++ / SAMPLES);
      if (sample < this.#low[peak]) this.#low[peak] = sample;
      if (sample > this.#high[peak]) this.#high[peak] = sample;
    }
  }

  /**
   * The outline between two moments, −1 … 1.
   * @param {number} fromMs
   * @param {number} toMs
   * @returns {[number, number]}
   */
  between(fromMs, toMs) {
    const first = Math.max(0, Math.floor(fromMs / PEAK_MS));
    const end = Math.min(this.#samples / SAMPLES, Math.max(first + 1, Math.ceil(toMs / PEAK_MS)));
    let low = 0;
    let high = 0;
    for (let peak = first; peak < end; peak++) {
      low = Math.min(low, this.#low[peak]);
      high = Math.max(high, this.#high[peak]);
    }
    return [low / 32768, high / 32768];
  }

  /** @param {number} length */
  #grow(length) {
    const low = new Int16Array(length);
    const high = new Int16Array(length);
    low.set(this.#low);
    high.set(this.#high);
    this.#low = low;
    this.#high = high;
  }
}
