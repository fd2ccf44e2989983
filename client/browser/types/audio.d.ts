/** What this client sends: 16 kHz mono, signed 16 bit, 20 ms at a time. */
/** Samples per second on the wire. */
export declare const SAMPLE_RATE = 16000;
/** Samples in a frame of 20 ms. */
export declare const FRAME_SAMPLES = 320;
/** The shortest audio frame that the protocol takes: 5 ms. */
export declare const MIN_FRAME_SAMPLES = 80;
/** The longest: 1 s. */
export declare const MAX_FRAME_SAMPLES = 16000;
/** @param {number} samples */
export declare const toMs: (samples: number) => number;
/** @param {number} ms */
export declare const toSamples: (ms: number) => number;
/** Cuts floating-point samples into frames of 16 bit. */
export declare class Framer {
    #private;
    /** @param {number} [samples] Length of a frame. */
    constructor(samples?: number);
    /**
     * @param {Float32Array} samples −1 … 1; what lies outside is clipped.
     * @returns {Int16Array<ArrayBuffer>[]} The frames that they complete, each with its own buffer.
     */
    push(samples: Float32Array): Int16Array<ArrayBuffer>[];
}
/**
 * A binary message.
 * @param {Int16Array} samples
 * @param {"user" | "agent"} track
 * @param {boolean} twoTracks Whether the session has two.
 * @returns {Uint8Array<ArrayBuffer>}
 */
export declare function frameBytes(samples: Int16Array, track: "user" | "agent", twoTracks: boolean): Uint8Array<ArrayBuffer>;
