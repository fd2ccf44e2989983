import { Capture } from "./capture.js";
import { resume } from "./resuming.js";

/** @import { Session } from "./session.js" */

/**
 * How to open the microphone.
 * @typedef {object} MicrophoneOptions
 * @property {Session} [session] Stream to it.
 * @property {AudioContext} [context] Yours, if you have one; absent: one of its own.
 * @property {AudioNode} [agent] What your loudspeaker plays, for a session with `reference`;
 *   of the same `context`.
 * @property {MediaTrackConstraints} [constraints] Beside echo cancellation, e.g. `deviceId`.
 */

/** What voice detection wants from a microphone: no echo of the agent, and the plain level. */
const CONSTRAINTS = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** The open microphone. */
export class Microphone {
  #stream;
  #source;
  #capture;
  #ownContext;

  /**
   * @param {MediaStream} stream
   * @param {MediaStreamAudioSourceNode} source
   * @param {Capture} capture
   * @param {AudioContext | null} ownContext
   */
  constructor(stream, source, capture, ownContext) {
    this.#stream = stream;
    this.#source = source;
    this.#capture = capture;
    this.#ownContext = ownContext;
    const [track] = stream.getAudioTracks();
    /** Resolves when the microphone is gone: unplugged, or its permission taken away. */
    this.gone = new Promise((resolve) =>
      track.addEventListener("ended", () => resolve(undefined), { once: true }),
    );
  }

  /**
   * Asks the user for the microphone. Call it from a click: browsers keep sound off before one.
   * @param {MicrophoneOptions} [options]
   * @returns {Promise<Microphone>}
   * @throws {DOMException} There is none, the user said no, or the browser's audio does not start.
   */
  static async open({ session, context, agent, constraints } = {}) {
    const audio = context ?? new AudioContext({ latencyHint: "interactive" });
    const own = context ? null : audio;
    /** @type {MediaStream | undefined} */
    let stream;
    try {
      const wishes = { audio: { ...CONSTRAINTS, ...constraints } };
      stream = await navigator.mediaDevices.getUserMedia(wishes);
      await resume(audio);
      const source = new MediaStreamAudioSourceNode(audio, { mediaStream: stream });
      const capture = await Capture.open(audio, source, agent);
      if (session) capture.streamTo(session);
      return new Microphone(stream, source, capture, own);
    } catch (error) {
      for (const track of stream?.getTracks() ?? []) track.stop();
      await own?.close();
      throw error;
    }
  }

  /** Frames of 16 kHz on their way out. */
  get capture() {
    return this.#capture;
  }

  /** Whether silence is sent in the user's place. */
  get muted() {
    return !this.#stream.getAudioTracks()[0].enabled;
  }

  set muted(muted) {
    for (const track of this.#stream.getAudioTracks()) track.enabled = !muted;
  }

  /** Let go of the device; the browser's recording light goes out. */
  async close() {
    this.#capture.close();
    this.#source.disconnect();
    for (const track of this.#stream.getTracks()) track.stop();
    await this.#ownContext?.close();
  }
}
