/** The demonstration: a person or a sample talks while a synthetic agent does. */

import { BargeinError, Capture, Microphone, connect, resume } from "../client/index.js";
import { Agent } from "./agent.js";
import { byId, el } from "./dom.js";
import { SAMPLES_PER_MS } from "./peaks.js";
import { Run, load, loadTurns } from "./run.js";
import { Timeline } from "./timeline.js";
import { Trace } from "./trace.js";
import { clock, describe, level } from "./words.js";

/**
 * @import { Session } from "../client/index.js"
 * @import { Verdict } from "../types/messages.js"
 * @import { Api } from "./api.js"
 * @import { Scene, Scenes } from "./run.js"
 */

/**
 * Where the demonstration stands.
 *
 *     state      meaning                                         goes to
 *     ─────────  ──────────────────────────────────────────────  ─────────────────────────
 *     idle       nothing runs                                    opening
 *     opening    microphone, sound and session are being opened  speaking, idle
 *     speaking   the agent speaks                                yielding, pausing, idle
 *     yielding   the user has the floor after an interruption    speaking, idle
 *     pausing    the agent has finished a turn                   speaking, idle
 * @typedef {"idle" | "opening" | "speaking" | "yielding" | "pausing"} Stage
 */

const PAUSE_MS = 900;
/** A scene that ends sooner is not worth another turn. */
const LEAST_TURN_MS = 3000;
const VERDICTS_SHOWN = 50;
const ENDED = "The server has ended the session";

/** The view `#try`. */
export class TryView {
  #api;
  /** @type {Stage} */
  #stage = "idle";
  /** @type {Run | null} */
  #run = null;
  /** @type {Promise<Scenes>} */
  #scenes;
  /** @type {number | null} What the user set. */
  #threshold = null;
  #timeline = new Timeline(byId("try-timeline", HTMLElement), "What was heard and decided");
  #start = byId("try-start", HTMLButtonElement);
  #slider = byId("try-threshold", HTMLInputElement);
  #record = byId("try-record", HTMLInputElement);
  #verdicts = byId("try-verdicts", HTMLOListElement);

  /** @param {Api} api */
  constructor(api) {
    this.#api = api;
    this.#scenes = fetch("/page/audio/scenes.json").then((response) => response.json());
    void this.#scenes.then(({ scenes }) => showSources(scenes));
    byId("try-form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void (this.#stage === "idle" ? this.#open() : this.#finish());
    });
    this.#slider.addEventListener("input", () => this.#setThreshold(Number(this.#slider.value)));
    this.#showThreshold(api.facts.model.default_threshold);
    byId("try-record-label", HTMLElement).hidden = api.facts.recording !== "asked";
    byId("try-recorded", HTMLElement).hidden = api.facts.recording !== "all";
    this.#timeline.show(null, { fit: false });
  }

  enter() {
    this.#timeline.draw();
  }

  leave() {
    void this.#finish();
  }

  // ------------------------------------------------------------------ from start to end

  async #open() {
    const { turns, scenes } = await this.#scenes;
    const chosen = new FormData(byId("try-form", HTMLFormElement)).get("source");
    const scene = scenes.find(({ id }) => id === chosen) ?? null;
    const others = turns.map(({ id }) => id).filter((id) => !scene?.turns.includes(id));
    const run = new Run(new AudioContext(), scene, [...(scene?.turns ?? []), ...others]);
    this.#run = run;
    this.#verdicts.replaceChildren();
    byId("try-empty", HTMLElement).hidden = false;
    this.#timeline.show(run.trace, { fit: false });
    this.#become("opening", scene ? "Loading …" : "Waiting for your microphone …", "idle");
    try {
      await this.#prepare(run);
    } catch (error) {
      await this.#lose(run, explain(error));
    }
    if (this.#run === run) this.#speak(run);
    else await run.close(); // stopped meanwhile; whatever was opened since then goes, too
  }

  /** @param {Run} run */
  async #prepare(run) {
    const { context, scene } = run;
    await resume(context);
    await this.#api.checkToken();
    const sounds = await loadTurns(context, run.turns);
    run.agent = new Agent(context, sounds);
    run.agent.output.connect(new StereoPannerNode(context, { pan: -0.25 })).connect(context.destination);
    run.agent.onfinished = () => this.#agentFinished(run);
    let startUser = () => {};
    if (scene) {
      const buffer = await load(context, `user-${scene.id}.flac`);
      run.sceneMs = buffer.duration * 1000;
      const source = new AudioBufferSourceNode(context, { buffer });
      source.connect(new StereoPannerNode(context, { pan: 0.25 })).connect(context.destination);
      source.onended = () => this.#run === run && void this.#finish();
      run.capture = await Capture.open(context, source, run.agent.output);
      startUser = () => source.start();
    } else {
      run.microphone = await Microphone.open({ context, agent: run.agent.output });
      run.capture = run.microphone.capture;
      void run.microphone.gone.then(() => this.#lose(run, "The microphone is gone."));
    }
    run.session = await this.#connect(run);
    const { session } = run;
    run.capture.onframe = (user, agent) => {
      if (session.state === "over") return;
      session.sendAudio(user, agent);
      run.trace.addAudio(user, agent);
      this.#timeline.draw();
    };
    startUser();
  }

  /** @param {Run} run */
  async #connect(run) {
    const options = { predictions: true, ...(this.#threshold !== null && { threshold: this.#threshold }) };
    const metadata = { page: "try", source: run.scene?.id ?? "microphone" };
    const { socketUrl, token, facts } = this.#api;
    const session = await connect(socketUrl, {
      token, options, metadata, reference: true,
      record: facts.recording === "asked" && this.#record.checked,
    });
    run.trace.take(session.created);
    this.#showThreshold(session.options.threshold ?? 0.5);
    this.#listen(run, session);
    return session;
  }

  /** @param {Run} run @param {Session} session */
  #listen(run, session) {
    let { created } = session;
    let why = ENDED;
    void (async () => {
      for await (const message of session) {
        if (message.type === "session.created" && message !== created) {
          created = message;
          this.#beginAnew(run, session);
        }
        run.trace.take(message);
        if (message.type === "session.updated") this.#showThreshold(message.options.threshold ?? 0.5);
        if (message.type !== "session.closed") why = message.type === "error" ? `${ENDED}: ${message.message}` : ENDED;
        this.#timeline.draw();
      }
      await this.#lose(run, why);
    })().catch((error) => this.#lose(run, explain(error)));
    session.addEventListener("interruption", ({ detail }) => this.#interrupted(run, detail));
    session.addEventListener("non_interruption", ({ detail }) => this.#held(detail));
    session.addEventListener("speech.started", () => {
      run.sounding = true;
      clearTimeout(run.pause);
    });
    session.addEventListener("speech.stopped", () => {
      run.sounding = false;
      if (this.#stage === "yielding" || this.#stage === "pausing") this.#pause(run);
    });
    session.addEventListener("connection", ({ detail: { state } }) => {
      if (state === "away") this.#tell("The connection was lost; trying again …", "idle");
      if (state === "connected") this.#tell("Connected again", "agent");
    });
    session.addEventListener("warning", ({ detail }) => this.#add(session.atMs, "unknown", "Warning", detail.message, ""));
  }

  /** A restarted server knows nothing of the session before: another clock, other overlaps. @param {Run} run @param {Session} session */
  #beginAnew(run, session) {
    run.trace = new Trace();
    run.trace.addAudio(new Int16Array(Math.round(session.atMs * SAMPLES_PER_MS)));
    if (this.#stage === "speaking") run.trace.agentStarted(session.atMs);
    this.#timeline.show(run.trace, { fit: false });
  }

  async #finish() {
    const run = this.#run;
    if (!run) return;
    const { session, agent } = run;
    this.#run = null;
    clearTimeout(run.pause);
    agent?.hush();
    if (run.trace.agentTurns.length) run.trace.agentStopped(run.trace.durationMs);
    this.#become("idle", "Finishing …", "idle");
    const summary = session && (await session.close().catch(() => null));
    await run.close();
    if (this.#run) return;
    const { interruptions = 0, non_interruptions: held = 0, recording } = summary ?? {};
    this.#tell(`Finished: ${count(interruptions, "interruption")}, ${held} held`, "idle");
    if (recording) {
      const link = el("a", { href: `#recordings/${encodeURIComponent(recording)}` }, "Open the recording");
      byId("try-state-text", HTMLElement).append(" · ", link);
    }
    this.#timeline.show(run.trace, { fit: true });
  }

  /** The run cannot go on. @param {Run} run @param {string} why */
  async #lose(run, why) {
    if (this.#run !== run) return;
    this.#run = null;
    this.#become("idle", why, "interruption");
    clearTimeout(run.pause);
    run.agent?.hush();
    await run.close();
  }

  // ------------------------------------------------------------------ who has the floor

  /** @param {Run} run */
  #speak(run) {
    const turn = run.turns[run.turn++ % run.turns.length];
    run.agent?.say(turn);
    run.session?.agentStarted();
    run.trace.agentStarted(run.session?.atMs ?? 0);
    void this.#scenes.then(({ turns }) => {
      byId("try-script", HTMLElement).textContent = `“${turns.find(({ id }) => id === turn)?.text}”`;
    });
    this.#become("speaking", "The agent is speaking", "agent");
  }

  /** @param {Run} run */
  #agentFinished(run) {
    if (this.#run !== run) return;
    this.#agentStopped(run);
    this.#become("pausing", "The agent has finished", "idle");
    this.#pause(run);
  }

  /** @param {Run} run @param {Verdict} verdict */
  #interrupted(run, verdict) {
    this.#addVerdict(verdict);
    if (this.#run !== run || this.#stage !== "speaking") return;
    run.agent?.hush();
    this.#agentStopped(run);
    const delay = verdict.type === "interruption" ? Math.round(verdict.detection_delay_ms) : 0;
    this.#become("yielding", `Interrupted: the agent stopped after ${delay} ms`, "interruption");
    this.#pause(run);
  }

  /** @param {Run} run */
  #agentStopped(run) {
    if (run.session?.state === "over") return;
    run.session?.agentStopped();
    run.trace.agentStopped(run.session?.atMs ?? 0);
  }

  /** @param {Verdict} verdict */
  #held(verdict) {
    this.#addVerdict(verdict);
    const { kind, name, why } = describe(verdict);
    if (kind === "held" && this.#stage === "speaking") {
      this.#tell(`${name} (${why}): the agent goes on`, "held");
    }
  }

  /** After some quiet the agent goes on, unless the scene is about to end. @param {Run} run */
  #pause(run) {
    clearTimeout(run.pause);
    const leftMs = run.sceneMs - run.trace.durationMs;
    if (run.sounding || leftMs < PAUSE_MS + LEAST_TURN_MS) return;
    run.pause = setTimeout(() => this.#run === run && this.#speak(run), PAUSE_MS);
  }

  // ------------------------------------------------------------------ what is shown

  /** @param {Stage} stage @param {string} text @param {string} mood */
  #become(stage, text, mood) {
    this.#stage = stage;
    const idle = stage === "idle";
    this.#start.textContent = idle ? "Start" : "Stop";
    const sources = byId("try-sources", HTMLElement);
    if (!idle && sources.contains(document.activeElement)) this.#start.focus();
    for (const radio of sources.querySelectorAll("input")) radio.disabled = !idle;
    byId("try-state", HTMLElement).dataset.stage = stage;
    this.#tell(text, mood);
  }

  /** @param {string} text @param {string} mood */
  #tell(text, mood) {
    byId("try-state", HTMLElement).dataset.mood = mood;
    byId("try-state-text", HTMLElement).textContent = text;
  }

  /** @param {Verdict} verdict */
  #addVerdict(verdict) {
    const { kind, name, why } = describe(verdict);
    this.#add(verdict.at_ms, kind, name, why, level(verdict.probability));
  }

  /** @param {number} atMs @param {string} kind @param {string} name @param {string} why @param {string} probability */
  #add(atMs, kind, name, why, probability) {
    byId("try-empty", HTMLElement).hidden = true;
    this.#verdicts.prepend(
      el("li", { "data-kind": kind },
        el("span", { class: "time" }, clock(atMs)),
        el("span", { class: "what" }, name),
        el("span", { class: "probability" }, probability),
        el("span", { class: "why" }, why)),
    );
    while (this.#verdicts.children.length > VERDICTS_SHOWN) this.#verdicts.lastElementChild?.remove();
  }

  /** @param {number} threshold */
  #setThreshold(threshold) {
    this.#threshold = threshold;
    this.#showThreshold(threshold);
    if (this.#run?.session && this.#run.session.state !== "over") this.#run.session.update({ threshold });
  }

  /** @param {number} threshold */
  #showThreshold(threshold) {
    this.#slider.value = String(threshold);
    byId("try-threshold-value", HTMLElement).textContent = threshold.toFixed(2);
    this.#timeline.threshold = threshold;
    this.#timeline.draw();
  }
}

/** @param {Scene[]} scenes */
function showSources(scenes) {
  const sources = [
    { id: "microphone", title: "You", description: "Your microphone. The sound goes to this server only." },
    ...scenes,
  ];
  byId("try-sources", HTMLElement).replaceChildren(
    ...sources.map(({ id, title, description }, index) =>
      el("label", { class: "card" },
        el("input", { type: "radio", name: "source", value: id, checked: index === 1 }),
        el("span", {}, el("strong", {}, title), el("small", {}, description)))),
  );
}

/** @param {unknown} error */
function explain(error) {
  if (error instanceof DOMException && error.name === "NotAllowedError") return "The microphone was not allowed.";
  if (error instanceof DOMException && error.name === "NotFoundError") return "There is no microphone.";
  if (error instanceof DOMException) return error.message;
  if (error instanceof BargeinError) return `The session could not go on. ${error.message}`;
  return String(error);
}

/** @param {number} number @param {string} noun */
const count = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
