import { ERRORS } from "./errors.js";

/** @import { ErrorCode } from "../types/messages.js" */

/** A session or a subscription could not be opened or did not live on. */
export class BargeinError extends Error {
  /**
   * @param {ErrorCode} code A row of the protocol's table of errors.
   * @param {string} [detail] What happened, for people.
   */
  constructor(code, detail) {
    super(`${code}: ${detail || ERRORS[code].meaning}`);
    this.name = "BargeinError";
    /** A row of the protocol's table of errors. */
    this.code = code;
    /** Whose fault it is. */
    this.fault = ERRORS[code].fault;
  }
}

/** @type {ReadonlyMap<number | null, ErrorCode>} */
const BY_CLOSE_CODE = new Map(
  Object.entries(ERRORS).map(([code, row]) => [row.closeCode, /** @type {ErrorCode} */ (code)]),
);

/** The reason with which the server's transport closes (1011) when pings are not answered. */
const PING_TIMEOUT = "keepalive ping timeout";

/**
 * The error behind a WebSocket close; null for an ordinary end (1000, 1001).
 * @param {number} closeCode
 * @param {string} [reason]
 * @returns {ErrorCode | null}
 */
export function errorForClose(closeCode, reason) {
  if (closeCode === 1000 || closeCode === 1001) return null;
  if (reason === PING_TIMEOUT) return "connection_lost";
  return BY_CLOSE_CODE.get(closeCode) ?? "connection_lost";
}
