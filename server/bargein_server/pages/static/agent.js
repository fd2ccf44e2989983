/** The synthetic agent: says its turns, and can be cut off. */

const FADE_S = 0.05;

/** Plays one turn at a time; `onfinished` is called when a turn was said to its end. */
export class Agent {
  #context;
  #turns;
  /** @type {{ source: AudioBufferSourceNode, gain: GainNode } | null} */
  #saying = null;
  /** What it plays, for the loudspeaker and for the echo reference. */
  output;
  /** @type {() => void} */
  onfinished = () => {};

  /** @param {AudioContext} context @param {Map<string, AudioBuffer>} turns By their id. */
  constructor(context, turns) {
    this.#context = context;
    this.#turns = turns;
    this.output = new GainNode(context);
  }

  /** Whether it can be heard. */
  get speaking() {
    return this.#saying !== null;
  }

  /** @param {string} id */
  say(id) {
    this.hush();
    const buffer = this.#turns.get(id);
    if (!buffer) throw new Error(`the agent knows no turn ${id}`);
    const source = new AudioBufferSourceNode(this.#context, { buffer });
    const gain = new GainNode(this.#context);
    source.connect(gain).connect(this.output);
    const saying = { source, gain };
    source.onended = () => {
      gain.disconnect();
      if (this.#saying !== saying) return;
      this.#saying = null;
      this.onfinished();
    };
    this.#saying = saying;
    source.start();
  }

  /** Stop at once, as fast as it does not click. */
  hush() {
    const saying = this.#saying;
    if (!saying) return;
    this.#saying = null;
    const now = this.#context.currentTime;
    saying.gain.gain.setValueAtTime(1, now);
    saying.gain.gain.linearRampToValueAtTime(0, now + FADE_S);
    saying.source.stop(now + FADE_S);
  }
}
