/** The view `#recordings`: a recording as a timeline, and what another threshold would have decided. */

import { byId, el } from "./dom.js";
import { entriesOf, groupFiles } from "./files.js";
import { Player } from "./player.js";
import { Recording } from "./recording.js";
import { changes, rejudge } from "./rejudge.js";
import { Timeline } from "./timeline.js";
import { clock, describe, level } from "./words.js";

/**
 * @import { Verdict } from "../types/messages.js"
 * @import { Api } from "./api.js"
 * @import { Judged, Reader } from "./recording.js"
 * @import { Outcome } from "./rejudge.js"
 */

/** The view `#recordings`. */
export class RecordingsView {
  #api;
  /** @type {Recording | null} */
  #recording = null;
  #player = new Player(() => this.#showTime());
  #timeline = new Timeline(byId("recording-timeline", HTMLElement), "The recording");
  #slider = byId("recording-threshold", HTMLInputElement);
  #play = byId("recording-play", HTMLButtonElement);
  #list = byId("recordings-list", HTMLUListElement);

  /** @param {Api} api */
  constructor(api) {
    this.#api = api;
    this.#timeline.onseek = (atMs) => this.#seek(atMs);
    this.#timeline.label = (overlap) => {
      const judged = this.#recording?.judged.find(({ verdict }) => verdict.overlap_id === overlap.id);
      return judged ? nameOf(judged.verdict, this.#outcome(judged)) : null;
    };
    this.#slider.addEventListener("input", () => this.#judge());
    byId("recording-reset", HTMLElement).addEventListener("click", () => this.#reset());
    byId("recording-in", HTMLElement).addEventListener("click", () => this.#timeline.zoom(0.6));
    byId("recording-out", HTMLElement).addEventListener("click", () => this.#timeline.zoom(1 / 0.6));
    byId("recording-fit", HTMLElement).addEventListener("click", () => this.#timeline.fit());
    this.#play.addEventListener("click", () => this.#player.toggle());
    this.#takeFiles();
  }

  /** @param {string} [name] Of a recording on the server, to be opened. */
  enter(name) {
    void this.#fill(name);
  }

  leave() {
    this.#player.pause();
  }

  // ------------------------------------------------------------------ where recordings come from

  /** @param {string} [wanted] */
  async #fill(wanted) {
    const empty = byId("recordings-empty", HTMLElement);
    empty.textContent = "The server does not record; start it with --record DIR.";
    if (this.#api.facts.recording === "off") return;
    try {
      const { recordings } = await (await this.#api.get("/v1/recordings")).json();
      empty.textContent = recordings.length ? "" : "There is none yet. Each session that ends leaves one.";
      const items = recordings.map((/** @type {any} */ entry) => this.#item(entry));
      this.#list.replaceChildren(...items);
      this.#mark();
    } catch (error) {
      empty.textContent = error instanceof Error ? error.message : String(error);
      return;
    }
    if (wanted && wanted !== this.#recording?.name) await this.#openFromServer(wanted);
  }

  /** @param {any} entry */
  #item({ name, started_at, duration_ms, interruptions, non_interruptions }) {
    const when = new Date(started_at).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    const told = `${clock(duration_ms, 0)} · ${interruptions} interrupted, ${non_interruptions} held`;
    const button = el("button", { type: "button", "data-name": name },
      el("span", { class: "name" }, name.replace(/\.bargein$/, "")),
      el("span", { class: "when" }, when),
      el("span", { class: "when" }, told));
    button.addEventListener("click", () => (location.hash = `recordings/${encodeURIComponent(name)}`));
    return el("li", {}, button);
  }

  #mark() {
    for (const button of this.#list.querySelectorAll("button")) {
      button.setAttribute("aria-current", String(button.dataset.name === this.#recording?.name));
    }
  }

  /** @param {string} name */
  async #openFromServer(name) {
    const place = `/v1/recordings/${encodeURIComponent(name)}`;
    /** @type {Set<string>} */
    let files;
    try {
      files = new Set((await (await this.#api.get(place)).json()).files);
    } catch (error) {
      return this.#fail(`${name}: ${error instanceof Error ? error.message : error}`);
    }
    await this.#open(name, async (file) =>
      files.has(file) ? (await this.#api.get(`${place}/${file}`)).arrayBuffer() : null);
  }

  #takeFiles() {
    const folder = byId("pick-folder", HTMLInputElement);
    const files = byId("pick-files", HTMLInputElement);
    byId("open-folder", HTMLElement).addEventListener("click", () => folder.click());
    byId("open-files", HTMLElement).addEventListener("click", () => files.click());
    for (const input of [folder, files]) {
      input.addEventListener("change", () => {
        void this.#openLocal([...(input.files ?? [])].map((file) => ({ path: file.webkitRelativePath || file.name, file })));
        input.value = "";
      });
    }
    const drop = byId("drop", HTMLElement);
    drop.addEventListener("dragover", (event) => {
      event.preventDefault();
      drop.setAttribute("data-over", "");
    });
    drop.addEventListener("dragleave", () => drop.removeAttribute("data-over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      drop.removeAttribute("data-over");
      if (event.dataTransfer) void entriesOf(event.dataTransfer).then((found) => this.#openLocal(found));
    });
  }

  /** @param {{ path: string, file: File }[]} found */
  async #openLocal(found) {
    const groups = groupFiles(found);
    if (groups.length === 0) return this.#fail("There is no session.json among these files: no recording.");
    for (const { name, files } of groups) {
      const read = async (/** @type {string} */ file) => (await files.get(file)?.arrayBuffer()) ?? null;
      if (groups.length > 1) this.#list.prepend(this.#localItem(name, read));
    }
    const [{ name, files }] = groups;
    await this.#open(name, async (file) => (await files.get(file)?.arrayBuffer()) ?? null);
  }

  /** @param {string} name @param {Reader} read */
  #localItem(name, read) {
    const button = el("button", { type: "button", "data-name": name },
      el("span", { class: "name" }, name), el("span", { class: "when" }, "from this computer"));
    button.addEventListener("click", () => void this.#open(name, read));
    return el("li", {}, button);
  }

  // ------------------------------------------------------------------ one recording

  /** @param {string} name @param {Reader} read */
  async #open(name, read) {
    this.#player.pause();
    try {
      this.#recording = await Recording.open(name, read);
    } catch (error) {
      return this.#fail(error instanceof Error ? error.message : String(error));
    }
    byId("recordings-error", HTMLElement).hidden = true;
    byId("recording", HTMLElement).hidden = false;
    const { header, trace, user, agent, threshold } = this.#recording;
    const when = new Date(header.started_at).toLocaleString([], { dateStyle: "long", timeStyle: "short" });
    byId("recording-title", HTMLElement).textContent = header.session_id;
    byId("recording-facts", HTMLElement).textContent =
      `${when} · ${clock(trace.durationMs, 0)} · model ${header.model.name} ${header.model.version} · recorded at threshold ${threshold.toFixed(2)}`;
    this.#player.load(user, agent);
    this.#timeline.chosen = null;
    this.#mark();
    this.#reset();
    this.#timeline.show(trace, { fit: true });
    this.#showTime();
  }

  /** @param {string} why */
  #fail(why) {
    const notice = byId("recordings-error", HTMLElement);
    notice.textContent = why;
    notice.hidden = false;
  }

  #reset() {
    this.#slider.value = String(this.#recording?.threshold ?? 0.5);
    this.#judge();
  }

  get #threshold() {
    const recorded = this.#recording?.threshold ?? 0.5;
    const chosen = Number(this.#slider.value);
    return Math.abs(chosen - recorded) < 0.0051 ? recorded : chosen; // the slider has steps
  }

  /** @param {Judged} judged @returns {Outcome} */
  #outcome({ verdict, evidence }) {
    return rejudge(verdict, evidence, this.#threshold);
  }

  #judge() {
    const recording = this.#recording;
    if (!recording) return;
    const threshold = this.#threshold;
    byId("recording-threshold-value", HTMLElement).textContent = threshold.toFixed(2);
    byId("recording-would", HTMLElement).textContent = `At ${threshold.toFixed(2)}`;
    const rows = recording.judged.map((judged) => this.#row(judged));
    byId("recording-rows", HTMLElement).replaceChildren(...rows);
    const changed = rows.filter((row) => row.hasAttribute("data-changed")).length;
    byId("recording-outcome", HTMLElement).textContent = tellChanges(changed, rows.length, threshold === recording.threshold);
    this.#timeline.threshold = threshold;
    this.#timeline.draw();
  }

  /** @param {Judged} judged */
  #row(judged) {
    const { verdict } = judged;
    const outcome = this.#outcome(judged);
    const place = `${verdict.overlap_id} · ${clock(verdict.onset_ms)}`;
    const jump = el("button", { type: "button", class: "quiet", title: "Show it in the timeline" }, place);
    jump.addEventListener("click", () => {
      this.#timeline.chosen = verdict.overlap_id;
      this.#seek(Math.max(0, verdict.onset_ms - 500));
    });
    const meter = el("span", { class: "meter", "aria-hidden": "true" }, el("i"));
    /** @type {HTMLElement} */ (meter.firstChild).style.width = widthOf(judged.best);
    return el("tr", { "data-changed": changes(verdict, outcome), "data-overlap": verdict.overlap_id },
      el("td", {}, jump),
      el("td", {}, meter, level(judged.best)),
      el("td", {}, chip(describe(verdict)), note(verdict.type === "interruption" ? verdict.at_ms - verdict.onset_ms : null)),
      el("td", {}, chip(nameOf(verdict, outcome)), note(outcome.type === "interruption" ? outcome.atMs - verdict.onset_ms : null)));
  }

  // ------------------------------------------------------------------ listening

  /** @param {number} atMs */
  #seek(atMs) {
    this.#player.seek(atMs);
    this.#showTime();
    this.#timeline.reveal(atMs);
  }

  #showTime() {
    byId("recording-time", HTMLElement).textContent = clock(this.#player.atMs);
    this.#play.textContent = this.#player.playing ? "Pause" : "Play";
    this.#play.setAttribute("aria-pressed", String(this.#player.playing));
    this.#timeline.playheadMs = this.#player.atMs;
    if (this.#player.playing) this.#timeline.reveal(this.#player.atMs);
    else this.#timeline.draw();
  }
}

/** @param {Verdict} verdict @param {Outcome} outcome @returns {{ kind: string, name: string }} */
function nameOf(verdict, outcome) {
  if (outcome.type === "open") return { kind: "unknown", name: "No verdict yet" };
  if (outcome.type === "interruption") return { kind: "interruption", name: "Interruption" };
  return describe(/** @type {Verdict} */ ({ ...verdict, ...outcome }));
}

/** @param {{ kind: string, name: string }} what */
const chip = ({ kind, name }) => el("span", { class: "chip", "data-kind": kind }, name);

/** @param {number | null} delayMs */
const note = (delayMs) => (delayMs === null ? "" : el("span", { class: "note" }, `after ${Math.round(delayMs)} ms`));

/** @param {number | null} probability */
const widthOf = (probability) => `${100 * (probability ?? 0)}%`;

/** @param {number} changed @param {number} all @param {boolean} same */
function tellChanges(changed, all, same) {
  if (all === 0) return "Nobody spoke while the agent did: there was nothing to decide.";
  if (same) return `As recorded: ${all} verdict${all === 1 ? "" : "s"}.`;
  if (changed === 0) return `None of ${all} verdict${all === 1 ? "" : "s"} would change.`;
  return `${changed} of ${all} verdict${all === 1 ? "" : "s"} would change.`;
}
