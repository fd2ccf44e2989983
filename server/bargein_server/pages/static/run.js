/** One run of the demonstration, and the sounds that it takes. */

import { Trace } from "./trace.js";

/**
 * @import { Capture, Microphone, Session } from "../client/index.js"
 * @import { Agent } from "./agent.js"
 */

/**
 * @typedef {object} Scene
 * @property {string} id
 * @property {string} title
 * @property {string} description
 * @property {string[]} turns What the agent says, one after the other.
 */

/** @typedef {{ turns: { id: string, text: string }[], scenes: Scene[] }} Scenes */

/** Everything that one run holds open. */
export class Run {
  /** @type {Session | null} */
  session = null;
  /** @type {Capture | null} */
  capture = null;
  /** @type {Microphone | null} */
  microphone = null;
  /** @type {Agent | null} */
  agent = null;
  trace = new Trace();
  turn = 0;
  /** The timer of the agent's next turn. */
  pause = 0;
  /** Whether the user can be heard. */
  sounding = false;
  /** Length of the scene; a person has no end. */
  sceneMs = Infinity;

  /** @param {AudioContext} context @param {Scene | null} scene @param {string[]} turns */
  constructor(context, scene, turns) {
    this.context = context;
    this.scene = scene;
    this.turns = turns;
  }

  /** Let go of everything; may be called again when more was opened. */
  async close() {
    this.session?.abandon();
    this.capture?.close();
    await this.microphone?.close();
    if (this.context.state !== "closed") await this.context.close();
  }
}

/** What the agent can say, by the turn's id. @param {AudioContext} context @param {string[]} turns */
export async function loadTurns(context, turns) {
  const buffers = turns.map(async (id) => /** @type {const} */ ([id, await load(context, `agent-${id}.mp3`)]));
  return new Map(await Promise.all(buffers));
}

/** One of the page's sounds. @param {AudioContext} context @param {string} file */
export async function load(context, file) {
  const response = await fetch(`/page/audio/${file}`);
  if (!response.ok) throw new Error(`${file}: HTTP ${response.status}`);
  return context.decodeAudioData(await response.arrayBuffer());
}
