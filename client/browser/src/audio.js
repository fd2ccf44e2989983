/** What this client sends: 16 kHz mono, signed 16 bit, 20 ms at a time. */

/** Samples per second on the wire. */
export const SAMPLE_RATE = 16_000;
/** Samples in a frame of 20 ms. */
export const FRAME_SAMPLES = 320;
/** The shortest audio frame that the protocol takes: 5 ms. */
export const MIN_FRAME_SAMPLES = 80;
/** The longest: 1 s. */
export const MAX_FRAME_SAMPLES = 16_000;

/** @param {number} samples */
export const toMs = (samples) => (samples * 1000) / SAMPLE_RATE;

/** @param {number} ms */
export const toSamples = (ms) => Math.round((ms * SAMPLE_RATE) / 1000);

/** Cuts floating-point samples into frames of 16 bit. */
export class Framer {
  #frame;
  #filled = 0;

  /** @param {number} [samples] Length of a frame. */
  constructor(samples = FRAME_SAMPLES) {
    this.#frame = new Int16Array(samples);
  }

  /**
   * @param {Float32Array} samples −1 … 1; what lies outside is clipped.
   * @returns {Int16Array<ArrayBuffer>[]} The frames that they complete, each with its own buffer.
   */
  push(samples) {
    /** @type {Int16Array<ArrayBuffer>[]} */
    const frames = [];
    for (const sample of samples) {
      const level = Math.round(sample * 32768);
      this.#frame[this.#filled++] = level < -32768 ? -32768 : level > 32767 ? 32767 : level;
      if (this.#filled === this.#frame.length) {
        frames.push(this.#frame);
        this.#frame = new Int16Array(this.#frame.length);
        this.#filled = 0;
      }
    }
    return frames;
  }
}

/** The byte that begins a binary message when there are two tracks. */
const TRACK_BYTE = { user: 0, agent: 1 };
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/**
 * A binary message.
 * @param {Int16Array} samples
 * @param {"user" | "agent"} track
 * @param {boolean} twoTracks Whether the session has two.
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function frameBytes(samples, track, twoTracks) {
  const head = twoTracks ? 1 : 0;
  const bytes = new Uint8Array(head + samples.length * 2);
  if (twoTracks) bytes[0] = TRACK_BYTE[track];
  if (LITTLE_ENDIAN) {
    bytes.set(new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength), head);
    return bytes;
  }
  const view = new DataView(bytes.buffer, head);
  samples.forEach((sample, index) => view.setInt16(index * 2, sample, true));
  return bytes;
}
