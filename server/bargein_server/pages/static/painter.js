/** Draws a trace: agent, user, and the probability of an interruption, on one time axis. */

import { clock } from "./words.js";

/** @import { Overlap, Trace } from "./trace.js" */

/**
 * What is to be seen.
 * @typedef {object} View
 * @property {Trace | null} trace
 * @property {number} startMs
 * @property {number} spanMs
 * @property {boolean} following Whether the end of the trace is now.
 * @property {number | null} threshold In place of the trace's own.
 * @property {number | null} playheadMs
 * @property {number | null} chosen The overlap that is marked.
 * @property {(overlap: Overlap) => { kind: string, name: string } | null} label
 */

/** @typedef {{ top: number, height: number }} Lane */

const AXIS = 26;
const TOP = 30;
const COLOURS = ["ink", "muted", "line", "surface", "agent", "user", "interruption", "held", "unknown"];

/**
 * The moment at a place.
 * @param {{ startMs: number, spanMs: number }} view
 * @param {number} width
 * @param {number} x
 */
export const timeAt = ({ startMs, spanMs }, width, x) => startMs + (x / width) * spanMs;

/** Paints views onto one canvas, in the colours of the page. */
export class Painter {
  #canvas;
  #context;
  #width = 0;
  #height = 0;
  /** @type {Record<string, string>} */
  #colours = {};
  /** @type {View} */
  #view = {
    trace: null, startMs: 0, spanMs: 1, following: false,
    threshold: null, playheadMs: null, chosen: null, label: () => null,
  };

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.restyle();
  }

  /** The canvas has become as large as this. @param {number} width @param {number} height */
  resize(width, height) {
    const scale = devicePixelRatio || 1;
    this.#width = width;
    this.#height = height;
    this.#canvas.width = Math.round(width * scale);
    this.#canvas.height = Math.round(height * scale);
    this.#context.setTransform(scale, 0, 0, scale, 0, 0);
  }

  /** The theme has changed. */
  restyle() {
    const style = getComputedStyle(document.documentElement);
    this.#colours = Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  }

  /** @param {View} view */
  paint(view) {
    const width = this.#width;
    const height = this.#height;
    if (!width || !height) return;
    this.#view = view;
    const g = this.#context;
    g.fillStyle = this.#colours.surface;
    g.fillRect(0, 0, width, height);
    const room = height - TOP - AXIS;
    const lanes = {
      agent: { top: TOP, height: room * 0.26 },
      user: { top: TOP + room * 0.28, height: room * 0.28 },
      probability: { top: TOP + room * 0.63, height: room * 0.36 },
    };
    this.#paintAxis(g, height);
    this.#paintTurns(g, lanes.agent);
    this.#paintOverlaps(g, height);
    this.#paintSound(g, lanes.agent, "agent");
    this.#paintSound(g, lanes.user, "user");
    this.#paintProbability(g, lanes.probability);
    this.#paintNames(g, lanes);
    this.#paintLabels(g, height);
    this.#paintPlayhead(g, height);
  }

  /** @param {CanvasRenderingContext2D} g @param {number} height */
  #paintAxis(g, height) {
    const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600];
    const least = (70 / this.#width) * this.#view.spanMs / 1000;
    const step = (steps.find((candidate) => candidate >= least) ?? 1800) * 1000;
    g.font = font(11.5);
    g.textBaseline = "middle";
    g.textAlign = "center";
    for (let at = Math.ceil(this.#view.startMs / step) * step; at <= this.#view.startMs + this.#view.spanMs; at += step) {
      const x = Math.round(this.#x(at)) + 0.5;
      g.strokeStyle = this.#colours.line;
      g.globalAlpha = 0.6;
      line(g, x, TOP - 6, x, height - AXIS);
      g.globalAlpha = 1;
      g.fillStyle = this.#colours.muted;
      if (x > 18 && x < this.#width - 18) g.fillText(clock(at, step < 1000 ? 1 : 0), x, height - AXIS / 2);
    }
  }

  /** @param {CanvasRenderingContext2D} g @param {Lane} lane */
  #paintTurns(g, lane) {
    g.fillStyle = this.#colours.agent;
    g.globalAlpha = 0.1;
    for (const { fromMs, toMs } of this.#view.trace?.agentTurns ?? []) {
      const x = this.#x(fromMs);
      g.beginPath();
      g.roundRect(x, lane.top, Math.max(2, this.#x(toMs ?? this.#view.trace?.durationMs ?? 0) - x), lane.height, 6);
      g.fill();
    }
    g.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} g @param {number} height */
  #paintOverlaps(g, height) {
    for (const overlap of this.#inView()) {
      const x = this.#x(overlap.onsetMs);
      const end = this.#x(overlap.endMs ?? this.#view.trace?.durationMs ?? 0);
      g.fillStyle = this.#colourOf(overlap);
      g.globalAlpha = overlap.id === this.#view.chosen ? 0.24 : 0.13;
      g.beginPath();
      g.roundRect(x, TOP - 6, Math.max(3, end - x), height - TOP - AXIS + 6, 5);
      g.fill();
      g.globalAlpha = 1;
    }
  }

  /** @param {CanvasRenderingContext2D} g @param {Lane} lane @param {"agent" | "user"} side */
  #paintSound(g, lane, side) {
    const middle = lane.top + lane.height / 2;
    g.strokeStyle = this.#colours.line;
    line(g, 0, Math.round(middle) + 0.5, this.#width, Math.round(middle) + 0.5);
    const peaks = this.#view.trace?.[side];
    if (!peaks) return;
    g.fillStyle = this.#colours[side];
    const most = Math.min(this.#width, this.#x(peaks.durationMs));
    for (let x = Math.max(0, Math.floor(this.#x(0))); x < most; x += 2) {
      const [low, high] = peaks.between(this.#timeAt(x), this.#timeAt(x + 2));
      const up = shape(high) * lane.height * 0.49;
      const down = shape(-low) * lane.height * 0.49;
      if (up + down > 0.6) g.fillRect(x, middle - up, 1.4, up + down);
    }
  }

  /** @param {CanvasRenderingContext2D} g @param {Lane} lane */
  #paintProbability(g, lane) {
    const y = (/** @type {number} */ probability) => lane.top + lane.height * (1 - probability);
    g.strokeStyle = this.#colours.line;
    for (const level of [0, 1]) line(g, 0, Math.round(y(level)) + 0.5, this.#width, Math.round(y(level)) + 0.5);
    const threshold = this.#view.threshold ?? this.#view.trace?.threshold ?? null;
    for (const overlap of this.#inView()) this.#paintCurve(g, overlap, y, threshold ?? 1);
    if (threshold === null) return;
    const level = Math.round(y(threshold)) + 0.5;
    g.strokeStyle = this.#colours.interruption;
    g.setLineDash([5, 4]);
    line(g, 0, level, this.#width, level);
    g.setLineDash([]);
    g.font = font(11.5);
    g.textAlign = "right";
    g.textBaseline = threshold > 0.85 ? "top" : "bottom";
    this.#text(g, threshold.toFixed(2), this.#width - 8, level + (threshold > 0.85 ? 4 : -3), this.#colours.interruption);
  }

  /**
   * @param {CanvasRenderingContext2D} g
   * @param {Overlap} overlap
   * @param {(probability: number) => number} y
   * @param {number} threshold
   */
  #paintCurve(g, overlap, y, threshold) {
    const { frames } = overlap;
    if (frames.length === 0) return;
    g.beginPath();
    g.moveTo(this.#x(frames[0].endMs - 25), y(frames[0].probability));
    for (const { endMs, probability } of frames) g.lineTo(this.#x(endMs), y(probability));
    g.strokeStyle = this.#colours.ink;
    g.lineWidth = 1.8;
    g.lineJoin = "round";
    g.stroke();
    g.lineTo(this.#x(frames[frames.length - 1].endMs), y(0));
    g.lineTo(this.#x(frames[0].endMs - 25), y(0));
    g.fillStyle = this.#colours.ink;
    g.globalAlpha = 0.1;
    g.fill();
    g.globalAlpha = 1;
    g.lineWidth = 1;
    g.fillStyle = this.#colours.interruption;
    for (const { endMs, probability } of frames) {
      if (probability < threshold) continue;
      g.beginPath();
      g.arc(this.#x(endMs), y(probability), 2.6, 0, 7);
      g.fill();
    }
  }

  /** @param {CanvasRenderingContext2D} g @param {Record<string, Lane>} lanes */
  #paintNames(g, lanes) {
    g.font = font(11.5, 600);
    g.textAlign = "left";
    g.textBaseline = "top";
    const narrow = this.#width < 520;
    this.#text(g, "Agent", 10, lanes.agent.top + 4, this.#colours.agent);
    this.#text(g, "User", 10, lanes.user.top + 4, this.#colours.user);
    const name = narrow ? "Probability" : "Probability of an interruption";
    g.textBaseline = "bottom";
    this.#text(g, name, 10, lanes.probability.top - 3, this.#colours.muted);
  }

  /** @param {CanvasRenderingContext2D} g @param {number} height */
  #paintLabels(g, height) {
    g.font = font(12, 600);
    g.textBaseline = "middle";
    g.textAlign = "left";
    /** @type {{ left: number, right: number }[]} */
    const taken = [];
    for (const overlap of this.#inView().sort(interruptionsFirst)) {
      const label = this.#view.label(overlap);
      if (!label || !overlap.verdict) continue;
      g.strokeStyle = g.fillStyle = this.#colourOf(overlap);
      const at = Math.round(this.#x(overlap.verdict.at_ms)) + 0.5;
      g.lineWidth = 1.5;
      line(g, at, TOP - 6, at, height - AXIS);
      g.lineWidth = 1;
      const place = this.#placeOf(overlap, g.measureText(label.name).width + 16);
      const free = taken.every(({ left, right }) => place.right + 3 < left || right + 3 < place.left);
      if (free) taken.push(place);
      g.beginPath();
      if (free) g.roundRect(place.left, 4, place.right - place.left, 19, 9.5);
      else g.arc(this.#x(overlap.onsetMs) + 4, 19.5, 3.5, 0, 7); // zooming in makes room
      g.fill();
      g.fillStyle = this.#colours.surface;
      if (free) g.fillText(label.name, place.left + 8, 14);
    }
  }

  /** @param {Overlap} overlap @param {number} width Of its label. */
  #placeOf(overlap, width) {
    const left = Math.max(2, Math.min(this.#x(overlap.onsetMs), this.#width - width - 2));
    return { left, right: left + width };
  }

  /** @param {CanvasRenderingContext2D} g @param {number} height */
  #paintPlayhead(g, height) {
    const at = this.#view.playheadMs ?? (this.#view.following ? this.#view.trace?.durationMs : null);
    if (at === null || at === undefined) return;
    const x = Math.round(this.#x(at)) + 0.5;
    g.strokeStyle = this.#colours.ink;
    g.globalAlpha = this.#view.playheadMs === null ? 0.35 : 0.9;
    line(g, x, TOP - 6, x, height - AXIS);
    g.globalAlpha = 1;
  }

  /**
   * Text with an edge, so that it can be read over anything.
   * @param {CanvasRenderingContext2D} g
   * @param {string} text
   * @param {number} x
   * @param {number} y
   * @param {string} colour
   */
  #text(g, text, x, y, colour) {
    g.lineJoin = "round";
    g.lineWidth = 3.5;
    g.strokeStyle = this.#colours.surface;
    g.strokeText(text, x, y);
    g.lineWidth = 1;
    g.fillStyle = colour;
    g.fillText(text, x, y);
  }

  #inView() {
    const end = this.#view.startMs + this.#view.spanMs;
    return (this.#view.trace?.overlaps ?? []).filter(
      ({ onsetMs, endMs, verdict }) => onsetMs < end && Math.max(endMs ?? Infinity, verdict?.at_ms ?? 0) > this.#view.startMs,
    );
  }

  /** @param {Overlap} overlap */
  #colourOf(overlap) {
    return this.#colours[this.#view.label(overlap)?.kind ?? "unknown"];
  }

  /** @param {number} ms */
  #x(ms) {
    return ((ms - this.#view.startMs) / this.#view.spanMs) * this.#width;
  }

  /** @param {number} x */
  #timeAt(x) {
    return timeAt(this.#view, this.#width, x);
  }
}

/** @param {Overlap} a @param {Overlap} b */
const interruptionsFirst = (a, b) =>
  Number(b.verdict?.type === "interruption") - Number(a.verdict?.type === "interruption");

/** Quiet speech shall be seen, too, and a faint room be a line. @param {number} level */
const shape = (level) => Math.min(1, Math.max(0, level - 0.0008) ** 0.7 * 1.5);

/** @param {number} size @param {number} [weight] */
const font = (size, weight = 450) => `${weight} ${size}px system-ui, "Liberation Sans", sans-serif`;

/** @param {CanvasRenderingContext2D} g @param {number} x @param {number} y @param {number} toX @param {number} toY */
function line(g, x, y, toX, toY) {
  g.beginPath();
  g.moveTo(x, y);
  g.lineTo(toX, toY);
  g.stroke();
}
