/** What the page asks the server for, with a token where one is needed. */

import { byId } from "./dom.js";

/**
 * What `/v1/page` tells.
 * @typedef {object} Facts
 * @property {number} port
 * @property {number} http_port
 * @property {boolean} token_needed
 * @property {"off" | "asked" | "all"} recording
 * @property {{ name: string, version: string, default_threshold: number }} model
 * @property {{ name: string, version: string }} server
 */

const STORED = "bargein.token";

/** The server could not do what was asked. */
export class ApiError extends Error {
  /** @param {number} status @param {string} text */
  constructor(status, text) {
    super(text.trim() || `HTTP ${status}`);
    this.status = status;
  }
}

/** The server behind the page. */
export class Api {
  /** @param {Facts} facts */
  constructor(facts) {
    this.facts = facts;
  }

  /** @returns {Promise<Api>} */
  static async open() {
    const response = await fetch("/v1/page");
    if (!response.ok) throw new ApiError(response.status, await response.text());
    return new Api(await response.json());
  }

  /** Where WebSockets go: the server's own port, or the page's where a proxy stands before both. */
  get socketUrl() {
    const url = new URL("/", location.href);
    url.protocol = url.protocol.replace("http", "ws");
    if (Number(url.port) === this.facts.http_port) url.port = String(this.facts.port);
    return url.href;
  }

  /** A token for a new connection; asks for one if the server needs it. */
  token = async () => {
    if (!this.facts.token_needed) return "";
    return sessionStorage.getItem(STORED) ?? (await askForToken());
  };

  /**
   * Make sure that the token is good, for a WebSocket does not tell why it was refused.
   * @throws {ApiError}
   */
  async checkToken() {
    if (this.facts.token_needed) await this.get("/v1/sessions");
  }

  /** Forget the token, for it was refused. */
  forget() {
    sessionStorage.removeItem(STORED);
  }

  /**
   * @param {string} path
   * @returns {Promise<Response>}
   * @throws {ApiError}
   */
  async get(path) {
    for (;;) {
      const token = await this.token();
      /** @type {Record<string, string>} */
      const headers = token ? { Authorization: `Bearer ${token}` } : {};
      const response = await fetch(path, { headers });
      if (response.ok) return response;
      const error = new ApiError(response.status, await response.text());
      if (response.status !== 401 || !this.facts.token_needed) throw error;
      this.forget();
      await askForToken(error.message);
    }
  }
}

/** @type {Promise<string> | null} One question at a time. */
let asking = null;

/** @param {string} [problem] What was wrong with the last one. @returns {Promise<string>} */
function askForToken(problem) {
  asking ??= showDialog(problem).finally(() => (asking = null));
  return asking;
}

/** @param {string} [problem] @returns {Promise<string>} */
function showDialog(problem) {
  const dialog = byId("token-dialog", HTMLDialogElement);
  const input = byId("token-input", HTMLInputElement);
  const error = byId("token-error", HTMLParagraphElement);
  byId("token-command", HTMLElement).textContent =
    `curl -u KEY:SECRET ${location.origin}/v1/tokens \\\n  -d '{"events": true, "ttl_s": 3600}'`;
  error.textContent = problem ?? "";
  error.hidden = !problem;
  input.value = "";
  dialog.oncancel = (event) => event.preventDefault(); // nothing works without it
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      const token = tokenIn(input.value);
      sessionStorage.setItem(STORED, token);
      resolve(token);
    };
  });
}

/** The token, also out of the whole answer of `POST /v1/tokens`. @param {string} text */
function tokenIn(text) {
  try {
    return String(JSON.parse(text).token);
  } catch {
    return text.trim();
  }
}
