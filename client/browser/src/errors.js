// Written by client/browser/generate.py from the protocol's code; do not edit.

/** The WebSocket subprotocol. */
export const SUBPROTOCOL = "bargein.v1";

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
export const ERRORS = Object.freeze({
  "invalid_json": { fault: "client", closeCode: null, retry: "never",
    meaning: "a text message is not JSON" },
  "invalid_message": { fault: "client", closeCode: null, retry: "never",
    meaning: "a field is missing, mistyped or out of range" },
  "unknown_type": { fault: "client", closeCode: null, retry: "never",
    meaning: "no message has this `type`" },
  "invalid_options": { fault: "client", closeCode: null, retry: "never",
    meaning: "an option is mistyped, out of its range, or at odds with another" },
  "invalid_audio": { fault: "client", closeCode: null, retry: "never",
    meaning: "a binary message is no audio frame of this session" },
  "invalid_marker": { fault: "client", closeCode: null, retry: "never",
    meaning: "`at_ms` lies too far in the past or the future" },
  "unexpected_message": { fault: "client", closeCode: null, retry: "never",
    meaning: "a message that is not legal at this point" },
  "not_open": { fault: "client", closeCode: 4400, retry: "never",
    meaning: "the first message of a connection is `session.create`" },
  "create_timeout": { fault: "client", closeCode: 4408, retry: "later",
    meaning: "no `session.create` came in time" },
  "unauthorized": { fault: "client", closeCode: 4401, retry: "never",
    meaning: "no token, or not a valid one" },
  "forbidden": { fault: "client", closeCode: 4403, retry: "never",
    meaning: "the token does not allow this" },
  "unknown_session": { fault: "client", closeCode: 4404, retry: "later",
    meaning: "no such session, or it has ended" },
  "session_exists": { fault: "client", closeCode: 4409, retry: "never",
    meaning: "the session id is taken" },
  "recording_refused": { fault: "client", closeCode: 4412, retry: "never",
    meaning: "the server does not record on request" },
  "message_too_big": { fault: "client", closeCode: 1009, retry: "never",
    meaning: "a message over the size limit" },
  "audio_too_fast": { fault: "client", closeCode: 4429, retry: "later",
    meaning: "audio ran too far ahead of real time" },
  "slow_consumer": { fault: "client", closeCode: 4410, retry: "resume",
    meaning: "the client does not read its events" },
  "idle_timeout": { fault: "client", closeCode: 4411, retry: "later",
    meaning: "no message for longer than the server allows" },
  "session_too_long": { fault: "client", closeCode: 4413, retry: "later",
    meaning: "the longest duration of a session is reached" },
  "replaced": { fault: "client", closeCode: 4414, retry: "never",
    meaning: "another connection has resumed this session" },
  "resume_too_old": { fault: "client", closeCode: 4415, retry: "later",
    meaning: "messages after `after` are no longer held" },
  "connection_lost": { fault: "network", closeCode: 1006, retry: "resume",
    meaning: "the connection broke without a close, or with 1011 `keepalive ping timeout`" },
  "server_full": { fault: "server", closeCode: 4503, retry: "later",
    meaning: "the server holds all it can" },
  "shutting_down": { fault: "server", closeCode: 1012, retry: "later",
    meaning: "the server is restarting" },
  "internal_error": { fault: "server", closeCode: 1011, retry: "later",
    meaning: "a fault of the server" },
});
