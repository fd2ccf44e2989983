/** Plays both sides of a recording, the agent a little left and the user a little right. */

/** Holds the sound; `onmove` is called while it plays and when that changes. */
export class Player {
  #onmove;
  /** @type {{ samples: Int16Array, pan: number }[]} */
  #sides = [];
  /** @type {{ context: AudioContext, startedAt: number, fromMs: number } | null} */
  #playing = null;
  #restMs = 0;
  #durationMs = 0;

  /** @param {() => void} onmove */
  constructor(onmove) {
    this.#onmove = onmove;
  }

  /** @param {Int16Array} user @param {Int16Array | null} agent */
  load(user, agent) {
    this.pause();
    this.#sides = [{ samples: user, pan: 0.25 }, ...(agent ? [{ samples: agent, pan: -0.25 }] : [])];
    this.#durationMs = user.length / 16;
    this.#restMs = 0;
  }

  /** Whether it plays. */
  get playing() {
    return this.#playing !== null;
  }

  /** The moment that is heard. */
  get atMs() {
    if (!this.#playing) return this.#restMs;
    const { context, startedAt, fromMs } = this.#playing;
    return Math.min(this.#durationMs, fromMs + Math.max(0, context.currentTime - startedAt) * 1000);
  }

  /** @param {number} atMs */
  seek(atMs) {
    const again = this.playing;
    this.pause();
    this.#restMs = Math.min(Math.max(0, atMs), this.#durationMs);
    if (again) this.play();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  play() {
    if (this.playing || this.#durationMs === 0) return;
    if (this.#restMs >= this.#durationMs) this.#restMs = 0;
    const context = new AudioContext();
    for (const { samples, pan } of this.#sides) this.#playSide(context, samples, pan);
    this.#playing = { context, startedAt: context.currentTime, fromMs: this.#restMs };
    this.#tick();
  }

  pause() {
    if (!this.#playing) return;
    this.#restMs = this.atMs;
    void this.#playing.context.close();
    this.#playing = null;
    this.#onmove();
  }

  /** @param {AudioContext} context @param {Int16Array} samples @param {number} pan */
  #playSide(context, samples, pan) {
    const from = Math.round(this.#restMs * 16);
    if (from >= samples.length) return;
    const buffer = new AudioBuffer({ length: samples.length - from, sampleRate: 16_000 });
    buffer.copyToChannel(Float32Array.from(samples.subarray(from), (sample) => sample / 32768), 0);
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(new StereoPannerNode(context, { pan })).connect(context.destination);
    source.start();
  }

  #tick() {
    if (!this.#playing) return;
    if (this.atMs >= this.#durationMs) return this.pause();
    this.#onmove();
    requestAnimationFrame(() => this.#tick());
  }
}
