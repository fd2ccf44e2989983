/** A trace on a time axis that can be moved and zoomed, by hand and by keyboard. */

import { el } from "./dom.js";
import { Painter, timeAt } from "./painter.js";
import { describe } from "./words.js";

/** @import { Overlap, Trace } from "./trace.js" */

const MIN_SPAN_MS = 800;
/** While it follows. */
const PIXELS_PER_S = 72;

/**
 * A timeline in an element of the page. Arrow keys move, + and − zoom, Home and End jump; `onseek`
 * is called for a click.
 */
export class Timeline {
  /** @type {Trace | null} */
  #trace = null;
  #host;
  #painter;
  #startMs = 0;
  #spanMs = 12_000;
  #following = true;
  #due = 0;
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
    const canvas = el("canvas");
    this.#painter = new Painter(canvas);
    host.append(canvas);
    host.tabIndex = 0;
    host.setAttribute("role", "group");
    host.setAttribute("aria-label", `${name}. Arrow keys move, plus and minus zoom.`);
    new ResizeObserver(() => this.#resize()).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.#painter.restyle();
      this.draw();
    });
    host.addEventListener("keydown", (event) => this.#key(event));
    host.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#listenToPointer();
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
      this.#move(this.#startMs + (event.deltaX / this.#host.clientWidth) * this.#spanMs, this.#spanMs);
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
      if (grip.moved) this.#move(grip.startMs + (by / this.#host.clientWidth) * this.#spanMs, this.#spanMs);
    });
    this.#host.addEventListener("pointerup", (event) => {
      if (grip && !grip.moved && !this.#following) this.onseek(this.#timeAt(event.offsetX));
      grip = null;
    });
    this.#host.addEventListener("pointercancel", () => (grip = null));
  }

  // ------------------------------------------------------------------ painting

  #resize() {
    this.#painter.resize(this.#host.clientWidth, this.#host.clientHeight);
    this.#paint();
  }

  /** @param {number} x */
  #timeAt(x) {
    return timeAt({ startMs: this.#startMs, spanMs: this.#spanMs }, this.#host.clientWidth, x);
  }

  #paint() {
    if (this.#following) {
      this.#spanMs = (this.#host.clientWidth / PIXELS_PER_S) * 1000;
      this.#startMs = Math.max(0, (this.#trace?.durationMs ?? 0) - this.#spanMs * 0.86);
    }
    this.#painter.paint({
      trace: this.#trace,
      startMs: this.#startMs,
      spanMs: this.#spanMs,
      following: this.#following,
      threshold: this.threshold,
      playheadMs: this.playheadMs,
      chosen: this.chosen,
      label: this.label,
    });
  }
}
