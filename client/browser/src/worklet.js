/// <reference types="audioworklet" />
/** Runs in the audio thread: takes sound of any rate in, hands frames of 16 kHz out. */

import { Framer, SAMPLE_RATE } from "./audio.js";
import { Resampler } from "./resampler.js";

const SILENCE = new Float32Array(128);

/** One track on its way. */
class Track {
  #resampler = sampleRate === SAMPLE_RATE ? null : new Resampler(sampleRate, SAMPLE_RATE);
  #framer = new Framer();

  /** @param {Float32Array} samples */
  push(samples) {
    return this.#framer.push(this.#resampler ? this.#resampler.push(samples) : samples);
  }
}

/**
 * Input 0 is the user, input 1 (if there are two) the agent; both mixed to mono by the browser. An
 * input that nothing feeds is silent, so that the tracks stay side by side. Each message is a list
 * of frames, one per input, each 20 ms.
 */
class CaptureProcessor extends AudioWorkletProcessor {
  #tracks;
  #closed = false;

  /** @param {{ numberOfInputs?: number }} options Those of the node. */
  constructor(options) {
    super();
    this.#tracks = Array.from({ length: options.numberOfInputs ?? 1 }, () => new Track());
    this.port.onmessage = () => (this.#closed = true);
  }

  /** @param {Float32Array[][]} inputs */
  process(inputs) {
    const cut = this.#tracks.map((track, index) => {
      const channel = inputs[index]?.[0];
      return track.push(channel?.length ? channel : SILENCE);
    });
    for (let frame = 0; frame < cut[0].length; frame++) {
      const frames = cut.map((track) => track[frame]);
      this.port.postMessage(frames, frames.map(({ buffer }) => buffer));
    }
    return !this.#closed;
  }
}

registerProcessor("bargein-capture", CaptureProcessor);
