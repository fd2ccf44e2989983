/** The Bargein client for browsers: stream a session, follow events. */

export { FRAME_SAMPLES, Framer, SAMPLE_RATE } from "./audio.js";
export { Capture } from "./capture.js";
export { ERRORS, SUBPROTOCOL } from "./errors.js";
export { BargeinError, errorForClose } from "./failure.js";
export { follow } from "./follow.js";
export { Microphone } from "./microphone.js";
export { Resampler } from "./resampler.js";
export { resume } from "./resuming.js";
export { Session, connect } from "./session.js";

/** @typedef {import("./link.js").Token} Token */
/** @typedef {import("./session.js").ConnectOptions} ConnectOptions */
/** @typedef {import("./session.js").SessionEventMap} SessionEventMap */
/** @typedef {import("./microphone.js").MicrophoneOptions} MicrophoneOptions */
/** @typedef {import("./follow.js").FollowOptions} FollowOptions */
/** @typedef {import("./retrying.js").Backoff} Backoff */
