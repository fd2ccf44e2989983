import type { ErrorCode } from "../types/messages.js";
/** @import { ErrorCode } from "../types/messages.js" */
/** A session or a subscription could not be opened or did not live on. */
export declare class BargeinError extends Error {
    /** A row of the protocol's table of errors. */
    code: ErrorCode;
    /** Whose fault it is. */
    fault: "client" | "network" | "server";
    /**
     * @param {ErrorCode} code A row of the protocol's table of errors.
     * @param {string} [detail] What happened, for people.
     */
    constructor(code: ErrorCode, detail?: string);
}
/**
 * The error behind a WebSocket close; null for an ordinary end (1000, 1001).
 * @param {number} closeCode
 * @param {string} [reason]
 * @returns {ErrorCode | null}
 */
export declare function errorForClose(closeCode: number, reason?: string): ErrorCode | null;
