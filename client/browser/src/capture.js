/** @import { Session } from "./session.js" */

/** @type {WeakMap<BaseAudioContext, Promise<void>>} */
const loaded = new WeakMap();

/**
 * Taps sound in an audio graph: 16 kHz frames of 20 ms, made in the audio thread.
 *
 * `onframe` is called for each; `streamTo` sends them to a session.
 */
export class Capture {
  /** Where the audio thread's module is; set it if a bundler has moved this one away from it. */
  static workletUrl = new URL("./worklet.js", import.meta.url).href;

  #node;
  #user;
  #agent;
  #delay;
  #closed = false;

  /**
   * @param {AudioContext} context
   * @param {AudioNode} user
   * @param {AudioNode | undefined} agent
   */
  constructor(context, user, agent) {
    this.#user = user;
    this.#agent = agent;
    this.#node = new AudioWorkletNode(context, "bargein-capture", {
      numberOfInputs: agent ? 2 : 1,
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: "explicit",
    });
    this.#node.port.onmessage = ({ data: [userFrame, agentFrame] }) =>
      this.onframe(userFrame, agentFrame);
    user.connect(this.#node, 0, 0);
    // What is played now is heard later, so the reference has to wait for its echo.
    this.#delay = agent && new DelayNode(context, { delayTime: context.outputLatency || 0 });
    if (agent && this.#delay) agent.connect(this.#delay).connect(this.#node, 0, 1);
  }

  /**
   * @param {AudioContext} context Of any sample rate.
   * @param {AudioNode} user What the user says, e.g. a `MediaStreamAudioSourceNode`.
   * @param {AudioNode} [agent] What the loudspeaker plays.
   * @returns {Promise<Capture>}
   */
  static async open(context, user, agent) {
    if (!loaded.has(context)) {
      const loading = context.audioWorklet.addModule(Capture.workletUrl);
      loaded.set(context, loading);
      loading.catch(() => loaded.delete(context)); // the next one tries again
    }
    await loaded.get(context);
    return new Capture(context, user, agent);
  }

  /**
   * Called for every 20 ms.
   * @type {(user: Int16Array, agent?: Int16Array) => void}
   */
  onframe = () => {};

  /** Send every frame to `session` while it lives. @param {Session} session */
  streamTo(session) {
    this.onframe = (user, agent) => {
      if (session.state !== "over") session.sendAudio(user, agent);
    };
  }

  /** Let go of the graph. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.onframe = () => {};
    this.#user.disconnect(this.#node);
    if (this.#delay) this.#agent?.disconnect(this.#delay);
    this.#node.port.postMessage("close");
  }
}
