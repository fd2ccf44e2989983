import { SUBPROTOCOL } from "./errors.js";
import { BargeinError, errorForClose } from "./failure.js";

/** @import { ErrorCode } from "../types/messages.js" */

/** A handshake that takes longer counts as lost: a network that swallows it ends it never. */
const OPEN_TIMEOUT_MS = 10_000;

/**
 * A token, or what gets a fresh one for each connection (from your backend, as a rule).
 * @typedef {string | (() => string | Promise<string>)} Token
 */

/**
 * What a connection tells.
 * @typedef {object} Listener
 * @property {(text: string) => void} receive A message came.
 * @property {(code: ErrorCode | null) => void} lost The connection is over; null: in order.
 */

/** One WebSocket to the server: opened, authorised, and its end told as an error code. */
export class Link {
  #socket;
  #over = false;

  /** @param {WebSocket} socket @param {Listener} listener */
  constructor(socket, listener) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      if (!this.#over && typeof data === "string") listener.receive(data);
    });
    socket.addEventListener("close", ({ code, reason }) => {
      if (!this.#over) listener.lost(errorForClose(code, reason));
      this.#over = true;
    });
    this.abandon = () => {
      if (this.#over) return;
      this.#over = true;
      socket.close();
      listener.lost("connection_lost");
    };
  }

  /** Give the connection up at once, without waiting for the other side; the listener is told. */
  abandon;

  /**
   * Connects. A browser does not tell why a server cannot be reached or refused the handshake.
   * @param {string} url
   * @param {Token | undefined} token
   * @param {Listener} listener
   * @returns {Promise<Link>}
   * @throws {BargeinError} Not reachable, or refused.
   */
  static async open(url, token, listener) {
    const address = new URL(url);
    const access = await accessToken(token);
    if (access) address.searchParams.set("access_token", access);
    const socket = new WebSocket(address, SUBPROTOCOL);
    const timer = setTimeout(() => socket.close(), OPEN_TIMEOUT_MS); // then it is "close", below
    try {
      await new Promise((resolve, reject) => {
        socket.addEventListener("open", resolve, { once: true });
        socket.addEventListener("close", () => reject(refusal(url)), { once: true });
      });
    } finally {
      clearTimeout(timer);
    }
    return new Link(socket, listener);
  }

  /** Bytes that were sent and that the network has not taken yet. */
  get bufferedAmount() {
    return this.#socket.bufferedAmount;
  }

  /** @param {string | Uint8Array<ArrayBuffer>} data */
  send(data) {
    this.#socket.send(data);
  }

  /** Close in order; nothing is told any more. */
  close() {
    this.#over = true;
    this.#socket.close(1000);
  }
}

/** @param {Token | undefined} token */
async function accessToken(token) {
  if (typeof token !== "function") return token;
  try {
    return await token();
  } catch (error) {
    throw new BargeinError("connection_lost", `no token could be had: ${error}`);
  }
}

/** @param {string} url */
function refusal(url) {
  const { origin } = new URL(url);
  return new BargeinError(
    "connection_lost",
    `${origin} cannot be reached, or it refused this page's origin or token`,
  );
}

/**
 * The server's URL with `path`, unless it names a path already; http is read as ws.
 * @param {string | URL} url
 * @param {string} path
 * @returns {string}
 */
export function endpoint(url, path) {
  const address = new URL(url, globalThis.location?.href);
  address.protocol = address.protocol.replace(/^http/, "ws");
  if (address.pathname === "/") address.pathname = path;
  return address.href;
}
