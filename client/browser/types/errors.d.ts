/** The WebSocket subprotocol. */
export declare const SUBPROTOCOL = "bargein.v1";
export type ErrorRow = {
    /**
     * Whose fault it is.
     */
    fault: "client" | "server" | "network";
    /**
     * The close code; null: the session lives.
     */
    closeCode: number | null;
    /**
     * What a client that lost its connection this way should do.
     */
    retry: "never" | "later" | "resume";
    /**
     * One line for people.
     */
    meaning: string;
};
/**
 * What an error means, and what to do about it.
 * @typedef {object} ErrorRow
 * @property {"client" | "server" | "network"} fault Whose fault it is.
 * @property {number | null} closeCode The close code; null: the session lives.
 * @property {"never" | "later" | "resume"} retry What a client that lost its connection this way should do.
 * @property {string} meaning One line for people.
 */
/**
 * Everything that can go wrong, by its code on the wire.
 * @type {Readonly<Record<import("../types/messages.js").ErrorCode, ErrorRow>>}
 */
export declare const ERRORS: Readonly<Record<import("../types/messages.js").ErrorCode, ErrorRow>>;
