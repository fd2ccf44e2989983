/** Draws a trace: agent, user, and the probability of an interruption, on one time axis. */

import { el } from "./dom.js";
import { clock, describe } from "./words.js";

/** @import { Overlap, Trace } from "./trace.js" */

const AXIS = 26;
const TOP = 30;
const COLOURS = ["ink", "muted", "line", "surface", "sunken", "agent", "user", "interruption", "held", "unknown"];
const MIN_SPAN_MS = 800;

/**
 * A timeline in an element of the page. Arrow keys move, + and − zoom, Home and End jump; `onseek`
 * is called for a click.
 */
export class Timeline {
  /** @type {Trace | null} */
  #trace = null;
  #host;
  #canvas = el("canvas");
  #context;
  #startMs = 0;
  #spanMs = 12_000;
  #following = true;
  #due = 0;
  /** @type {Record<string, string>} */
  #colours = {};
  #width = 0;
  #height = 0;
  /** @type {number | null} Shown in place of the trace's own. */
  threshold = null;
  /** @type {number | null} */
  playheadMs = null;
  /** @type {number | null} The overlap that is marked. */
  chosen = null;
  /** @type {(atMs: number) => void} */
  onseek = () => {};
  /** @type {((overlap: Overlap) => { kind: string, name: string } | null)} What to say of an overlap. */
  label = (overlap) => overlap.verdict && describe(overlap.verdict);

  /** @param {HTMLElement} host @param {string} name For those who do not see it. */
  constructor(host, name) {
    this.#host = host;
    this.#context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
    host.append(this.#canvas);
    host.tabIndex = 0;
    host.setAttribute("role", "group");
    host.setAttribute("aria-label", `${name}. Arrow keys move, plus and minus zoom.`);
    new ResizeObserver(() => this.#resize()).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#restyle());
    host.addEventListener("keydown", (event) => this.#key(event));
    host.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#listenToPointer();
    this.#restyle();
  }

  /** @param {Trace | null} trace @param {{ fit: boolean }} how Fit it, or follow its end. */
  show(trace, { fit }) {
    this.#trace = trace;
    this.#following = !fit;
    if (fit) this.fit();
    this.draw();
  }

  fit() {
    const duration = this.#trace?.durationMs ?? 0;
    this.#move(0, Math.max(duration * 1.02, 2000));
  }

  /** @param {number} factor */
  zoom(factor, aroundMs = this.#startMs + this.#spanMs / 2) {
    const span = Math.max(MIN_SPAN_MS, this.#spanMs * factor);
    const share = (aroundMs - this.#startMs) / this.#spanMs;
    this.#move(aroundMs - share * span, span);
  }

  /** Bring a moment into view. @param {number} atMs */
  reveal(atMs) {
    if (atMs < this.#startMs || atMs > this.#startMs + this.#spanMs) this.#move(atMs - this.#spanMs / 3, this.#spanMs);
    else this.draw();
  }

  /** Draw with the next picture of the screen. */
  draw() {
    this.#due ||= requestAnimationFrame(() => {
      this.#due = 0;
      this.#paint();
    });
  }

  // ------------------------------------------------------------------ moving

  /** @param {number} startMs @param {number} spanMs */
  #move(startMs, spanMs) {
    const most = Math.max((this.#trace?.durationMs ?? 0) * 1.05, 4000);
    this.#spanMs = Math.min(spanMs, most);
    this.#startMs = Math.min(Math.max(0, startMs), Math.max(0, most - this.#spanMs));
    this.draw();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.target !== this.#host || event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = /** @type {Record<string, () => void>} */ ({
      ArrowLeft: () => this.#move(this.#startMs - this.#spanMs / 8, this.#spanMs),
      ArrowRight: () => this.#move(this.#startMs + this.#spanMs / 8, this.#spanMs),
      Home: () => this.#move(0, this.#spanMs),
      End: () => this.#move(Infinity, this.#spanMs),
      "+": () => this.zoom(0.7),
      "=": () => this.zoom(0.7),
      "-": () => this.zoom(1 / 0.7),
      0: () => this.fit(),
    });
    const step = steps[event.key];
    if (!step || this.#following) return;
    event.preventDefault();
    step();
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    if (this.#following) return;
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoom(Math.exp(event.deltaY / 300), this.#timeAt(event.offsetX));
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      this.#move(this.#startMs + (event.deltaX / this.#width) * this.#spanMs, this.#spanMs);
    }
  }

  #listenToPointer() {
    /** @type {{ x: number, startMs: number, moved: boolean } | null} */
    let grip = null;
    this.#host.addEventListener("pointerdown", (event) => {
      if (event.button === 0) grip = { x: event.offsetX, startMs: this.#startMs, moved: false };
    });
    this.#host.addEventListener("pointermove", (event) => {
      if (!grip || this.#following) return;
      const by = grip.x - event.offsetX;
      if (Math.abs(by) > 4 && !grip.moved) {
        grip.moved = true;
        this.#host.setPointerCapture(event.pointerId);
      }
      if (grip.moved) this.#move(grip.startMs + (by / this.#width) * this.#spanMs, this.#spanMs);
    });
    this.#host.addEventListener("pointerup", (event) => {
      if (grip && !grip.moved && !this.#following) this.onseek(this.#timeAt(event.offsetX));
      grip = null;
    });
    this.#host.addEventListener("pointercancel", () => (grip = null));
  }

  // ------------------------------------------------------------------ painting

  #resize() {
    const { clientWidth, clientHeight } = this.#host;
    const scale = devicePixelRatio || 1;
    this.#width = clientWidth;
    this.#height = clientHeight;
    this.#canvas.width = Math.round(clientWidth * scale);
    this.#canvas.height = Math.round(clientHeight * scale);
    this.#context.setTransform(scale, 0, 0, scale, 0, 0);
    this.#paint();
  }

  #restyle() {
    const style = getComputedStyle(document.documentElement);
    this.#colours = Object.fromEntries(COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    this.draw();
  }

  /** @param {number} ms */
  #x(ms) {
    return ((ms - this.#startMs) / this.#spanMs) * this.#width;
  }

  /** @param {number} x */
  #timeAt(x) {
    return this.#startMs + (x / this.#width) * this.#spanMs;
  }

  #paint() {
    const { width, height } = { width: this.#width, height: this.#height };
    if (!width || !height) return;
    if (this.#following) {
      this.#spanMs = (width / 72) * 1000;
      this.#startMs = Math.max(0, (this.#trace?.durationMs ?? 0) - this.#spanMs * 0.86);
    }
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
    const least = (70 / this.#width) * this.#spanMs / 1000;
    const step = (steps.find((candidate) => candidate >= least) ?? 1800) * 1000;
    g.font = font(11.5);
    g.textBaseline = "middle";
    g.textAlign = "center";
    for (let at = Math.ceil(this.#startMs / step) * step; at <= this.#startMs + this.#spanMs; at += step) {
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
    for (const { fromMs, toMs } of this.#trace?.agentTurns ?? []) {
      const x = this.#x(fromMs);
      g.beginPath();
      g.roundRect(x, lane.top, Math.max(2, this.#x(toMs ?? this.#trace?.durationMs ?? 0) - x), lane.height, 6);
      g.fill();
    }
    g.globalAlpha = 1;
  }

  /** @param {CanvasRenderingContext2D} g @param {number} height */
  #paintOverlaps(g, height) {
    for (const overlap of this.#inView()) {
      const x = this.#x(overlap.onsetMs);
      const end = this.#x(overlap.endMs ?? this.#trace?.durationMs ?? 0);
      g.fillStyle = this.#colourOf(overlap);
      g.globalAlpha = overlap.id === this.chosen ? 0.24 : 0.13;
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
    const peaks = this.#trace?.[side];
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
    const threshold = this.threshold ?? this.#trace?.threshold ?? null;
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
      const label = this.label(overlap);
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
    const at = this.playheadMs ?? (this.#following ? this.#trace?.durationMs : null);
    if (at === null || at === undefined) return;
    const x = Math.round(this.#x(at)) + 0.5;
    g.strokeStyle = this.#colours.ink;
    g.globalAlpha = this.playheadMs === null ? 0.35 : 0.9;
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
    const end = this.#startMs + this.#spanMs;
    return (this.#trace?.overlaps ?? []).filter(
      ({ onsetMs, endMs, verdict }) => onsetMs < end && Math.max(endMs ?? Infinity, verdict?.at_ms ?? 0) > this.#startMs,
    );
  }

  /** @param {Overlap} overlap */
  #colourOf(overlap) {
    return this.#colours[this.label(overlap)?.kind ?? "unknown"];
  }
}

/** @typedef {{ top: number, height: number }} Lane */

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
