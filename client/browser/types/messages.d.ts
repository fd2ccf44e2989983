// Written by client/browser/generate.py from the protocol's code; do not edit.

/** What the binary messages of a session hold. */
export interface AudioFormat {
  /** Mono samples: signed 16 bit and float 32 bit little-endian, or G.711. */
  encoding?: "alaw" | "f32le" | "mulaw" | "s16le";
  /** Samples per second. */
  sample_rate?: 8000 | 16000 | 24000 | 32000 | 44100 | 48000;
  /** ["user"], or ["user", "agent"]: each message then begins with a byte, 0 user, 1 agent. */
  tracks?: ("agent" | "user")[];
}

/** The effective options of a session, all of them. */
export interface Options {
  /** Who opens and closes overlaps: the server's VAD, or the client's markers. */
  overlap: "client" | "server";
  /** Probability from which a frame counts as interruption; null: the model's own default. */
  threshold: number | null;
  /** Consecutive frames at or over the threshold that make an interruption. */
  min_frames: number;
  /** Sound to hear before the first prediction. */
  min_speech_ms: number;
  /** New audio between two predictions; a multiple of 25. */
  hop_ms: number;
  /** Audio heard from before the onset; a multiple of 25. */
  pre_roll_ms: number;
  /** The most audio that a first prediction of an overlap hears, pre-roll included. */
  window_ms: number;
  /** Which voice activity detector hears onsets and offsets. */
  vad: "silero" | "webrtc";
  /** How readily the webrtc VAD calls a frame silence: 0 (least) to 3 (most). */
  vad_aggressiveness: number;
  /** Sound within the last 100 ms or so that makes an onset. */
  onset_ms: number;
  /** Silence to wait for before an offset. */
  hangover_ms: number;
  /** Sound that is an interruption by VAD alone: without a model, and in the start boundary unless the model hears no speech in it. */
  vad_min_speech_ms: number;
  /** [start, end] margins of an agent's turn with own rules; one number: both; null: none. */
  backchannel_boundary_ms: number | number[] | null;
  /** After a verdict, time in which no new overlap opens. */
  cooldown_ms: number;
  /** Whether transcripts wait for the verdict on their overlap. */
  gate_transcripts: boolean;
  /** The longest that a transcript is held. */
  transcript_hold_ms: number;
  /** Words of one transcript that prove an undecided overlap an interruption; null: none do. */
  transcript_min_words: number | null;
  /** Silence after an interruption that makes it a false one (2000 is usual); null: never. */
  false_interruption_ms: number | null;
  /** Wall time to wait for a prediction before the session goes on by VAD. */
  prediction_timeout_ms: number;
  /** Whether every prediction is sent to the client. */
  predictions: boolean;
}

/** Takes a session up again after the connection was lost. */
export interface Resume {
  /** The `resume_token` of `session.created`. */
  token: string;
  /** The last `seq` that arrived; what came later is sent again. */
  after?: number;
}

/** Joins a running session from a second connection (audio here, agent state there). */
export interface Attach {
  /** The `attach_token` of `session.created`. */
  token: string;
}

/** The model that makes the predictions. */
export interface ModelInfo {
  /** Which model: the family it belongs to. */
  name: string;
  /** Which of its trainings. */
  version: string;
  /** The threshold in effect where `options.threshold` is null. */
  default_threshold: number;
}

/** The server that holds the session. */
export interface ServerInfo {
  /** Always "bargein". */
  name: string;
  /** The version of the package. */
  version: string;
}

/** What the session came to. */
export interface Summary {
  /** User audio, gaps and stalls included. */
  duration_ms: number;
  /** Overlaps opened; each had one verdict. */
  overlaps: number;
  /** Verdicts `interruption`. */
  interruptions: number;
  /** Verdicts `non_interruption`. */
  non_interruptions: number;
  /** Interruptions that turned out to be false. */
  false_interruptions: number;
  /** Predictions heard. */
  predictions: number;
  /** The recording's name in the server's folder; null if there is none. */
  recording: string | null;
}

/** Only the settings that differ. */
export type OptionsUpdate = Partial<Options>;

/** Opens the session; the first message of every connection. */
export interface SessionCreate {
  type: "session.create";
  /** A name of the client's choice; absent: the server makes one up. */
  session_id?: string;
  /** What the binary messages hold. */
  audio?: AudioFormat;
  /** Settings that differ from the server's; null or {}: none does. */
  options?: OptionsUpdate | null;
  /** Labels of the client's own; shown to subscribers and kept in recordings. */
  metadata?: Record<string, unknown>;
  /** Continue a session whose connection was lost. */
  resume?: Resume;
  /** Join the running session `session_id` from a second connection. */
  attach?: Attach;
  /** Ask for a recording; refused unless the server was started with --record. */
  record?: boolean;
}

/** Some user audio was not sent (muted track, DTX, lost packets); it counts as silence. */
export interface AudioGap {
  type: "audio.gap";
  /** How much was left out. */
  duration_ms: number;
}

/** The agent's speech became audible (playout, not generation). Idempotent. */
export interface AgentStarted {
  type: "agent.started";
  /** When, on the audio clock; absent: now. */
  at_ms?: number;
}

/** The agent's speech ceased to be audible. Idempotent: the first stop wins. */
export interface AgentStopped {
  type: "agent.stopped";
  /** When, on the audio clock; absent: now. */
  at_ms?: number;
}

/** The client's own VAD heard the user begin; with overlap = "server" a hint to open earlier. */
export interface OverlapStarted {
  type: "overlap.started";
  /** When the client noticed, on the audio clock; absent: now. */
  at_ms?: number;
  /** How long the user had been sounding by then; the onset is `at_ms` minus this. */
  speech_duration_ms?: number;
}

/** The client's own VAD heard the user stop. */
export interface OverlapEnded {
  type: "overlap.ended";
  /** When, on the audio clock; absent: now. */
  at_ms?: number;
}

/** Words of the user, from the client's recogniser, to be held until the verdict. */
export interface Transcript {
  type: "transcript";
  /** The client's name for this transcript; comes back with the release or the drop. */
  id: string;
  /** The words. */
  text: string;
  /** When the words began; absent: where the latest sound began. */
  start_ms?: number;
  /** When the words ended; absent: where the latest sound ended, or now if it goes on. */
  end_ms?: number;
  /** Whether the recogniser may still change its mind. */
  final?: boolean;
}

/** Changes options in place; predictions asked for under the old ones are dropped. */
export interface SessionUpdate {
  type: "session.update";
  /** Absent fields stay, {} changes nothing, null restores the server's defaults. */
  options: OptionsUpdate | null;
}

/** Ends the session; the answer is `session.closed`. */
export interface SessionClose {
  type: "session.close";
}

/** The session is open, resumed or joined. */
export interface SessionCreated {
  type: "session.created";
  /** 1, 2, 3 … per session; 0 for what concerns this one connection (resumed, joined, refused). */
  seq: number;
  /** The session's name: the client's choice, or the server's. */
  session_id: string;
  /** Secret; takes the session up again within the server's resume window. */
  resume_token: string;
  /** Secret; lets a second connection join the session. */
  attach_token: string;
  /** The effective options, all of them. */
  options: Options;
  /** What makes the predictions. */
  model: ModelInfo;
  /** What the client is talking to. */
  server: ServerInfo;
  /** The audio clock: 0 for a new session, where to go on for a resumed or joined one. */
  at_ms: number;
}

/** The answer to `session.update`. */
export interface SessionUpdated {
  type: "session.updated";
  /** 1, 2, 3 … per session; 0 for what concerns this one connection (resumed, joined, refused). */
  seq: number;
  /** From when on they are in effect. */
  at_ms: number;
  /** The effective options, all of them. */
  options: Options;
}

/** The user began to make sound (onset). */
export interface SpeechStarted {
  type: "speech.started";
  /** 1, 2, 3 … per session; 0 for what concerns this one connection (resumed, joined, refused). */
  seq: number;
  /** The onset. */
  at_ms: number;
}

/** The user stopped making sound (offset); sent after the hangover. */
export interface SpeechStopped {
  type: "speech.stopped";
  /** 1, 2, 3 … per session; 0 for what concerns this one connection (resumed, joined, refused). */
  seq: number;
  /** The last moment of sound. */
  at_ms: number;
}

/** User sound while the agent is speaking; exactly one verdict will follow. */
export interface OverlapOpened {
  type: "overlap.started";
  /** 1, 2, 3 … per session; 0 for what concerns this one connection (resumed, joined, refused). */
  seq: number;
  /** 1, 2, 3 … per session. */
  overlap_id: number;
  /** When the user's sound began, which may be before the agent's. */
  onset_ms: number;
  /** When the overlap was opened. */
  at_ms: number;
}

/** Verdict: the user is taking the floor. */
export interface Interruption {
  type: "interruption";
  /** 1, 2, 3 … per session; 0 for what concerns this one connection (resumed, joined, refused). */
  seq: number;
  /** The overlap that it decides. */
  overlap_id: number;
  /** As in `overlap.started`. */
  onset_ms: number;
  /** The end of the audio that proved it. */
  at_ms: number;
  /** The highest value that `min_frames` consecutive frames reached; null without a prediction. */
  probability: number | null;
  /** Probability of an interruption per 25 ms frame since the onset, oldest first; of a sound that went on for longer than ten seconds the last 400. */
  probabilities: number[];
  /** `at_ms` − `onset_ms`: how much sound it took. */
  detection_delay_ms: number;
  /** Wall time of the prediction that proved it; null without one. */
  inference_ms: number | null;
  /** Predictions heard for this overlap. */
  predictions: number;
  /** What proved it: "vad" within the start boundary or without a model. */
  source: "model" | "transcript" | "vad";
}

/** Verdict: the user is not taking the floor, or it could not be told (`agent_stopped`). */
export interface NonInterruption {
  type: "non_interruption";
  /** 1, 2, 3 … per session; 0 for what concerns this one connection (resumed, joined, refused). */
  seq: number;
  /** The overlap that it decides. */
  overlap_id: number;
  /** As in `overlap.started`. */
  onset_ms: number;
  /** When it was decided. */
  at_ms: number;
  /** What it was instead; "agent_stopped" and "session_closed" say that nobody can tell. */
  reason: "agent_stopped" | "backchannel" | "echo" | "noise" | "session_closed" | "too_short";
  /** As in `interruption`. */
  probability: number | null;
  /** As in `interruption`. */
  probabilities: number[];
  /** Predictions heard for this overlap. */
  predictions: number;
  /** What decided it. */
  source: "model" | "transcript" | "vad";
}

/** No user turn followed the interruption; the agent may resume. */
export interface FalseInterruption {
  type: "false_interruption";
  /** 1, 2, 3 … per session; 0 for what concerns this one connection (resumed, joined, refused). */
  seq: number;
  /** The overlap whose verdict turned out to be false. */
  overlap_id: number;
  /** When that was clear. */
  at_ms: number;
}

/** These words are the user's turn. */
export interface TranscriptReleased {
  type: "transcript.released";
  /** 1, 2, 3 … per session; 0 for what concerns this one connection (resumed, joined, refused). */
  seq: number;
  /** As in `transcript`. */
  id: string;
  /** As in `transcript`. */
  text: string;
  /** When the words began, as far as the server knows. */
  start_ms: number;
  /** When the words ended, as far as the server knows. */
  end_ms: number;
  /** As in `transcript`. */
  final: boolean;
  /** When they were released. */
  at_ms: number;
}

/** These words belong to a sound that was not an interruption: half of their time or more. */
export interface TranscriptDropped {
  type: "transcript.dropped";
  /** 1, 2, 3 … per session; 0 for what concerns this one connection (resumed, joined, refused). */
  seq: number;
  /** As in `transcript`. */
  id: string;
  /** The verdict's. */
  reason: "agent_stopped" | "backchannel" | "echo" | "noise" | "session_closed" | "too_short";
  /** When they were dropped. */
  at_ms: number;
}

/** One prediction; sent only if `options.predictions` is on. */
export interface PredictionMade {
  type: "prediction";
  /** 1, 2, 3 … per session; 0 for what concerns this one connection (resumed, joined, refused). */
  seq: number;
  /** The overlap that it heard. */
  overlap_id: number;
  /** The end of the audio it heard. */
  at_ms: number;
  /** Probability of an interruption per new 25 ms frame. */
  probabilities: number[];
  /** Every class's probability at the last frame. */
  classes: Record<string, number>;
  /** Wall time it took. */
  inference_ms: number;
}

/** Something went wrong; the session lives on unless `fatal`. */
export interface ErrorMessage {
  type: "error";
  /** 1, 2, 3 … per session; 0 for what concerns this one connection (resumed, joined, refused). */
  seq: number;
  /** A code of the table of errors. */
  code: string;
  /** Says whose fault it is and what to do. */
  message: string;
  /** Whether the connection closes, with the close code of the table. */
  fatal: boolean;
}

/** Something looks wrong; nothing was lost. */
export interface WarningMessage {
  type: "warning";
  /** 1, 2, 3 … per session; 0 for what concerns this one connection (resumed, joined, refused). */
  seq: number;
  /** A code of the table of warnings. */
  code: string;
  /** Says what looks wrong and what to do. */
  message: string;
  /** When it was noticed. */
  at_ms: number;
}

/** The last message of a session; the connection then closes with code 1000. */
export interface SessionClosed {
  type: "session.closed";
  /** 1, 2, 3 … per session; 0 for what concerns this one connection (resumed, joined, refused). */
  seq: number;
  /** The end of the session's audio. */
  at_ms: number;
  /** What the session came to. */
  summary: Summary;
}

/** First on every connection to `/v1/events`. */
export interface Subscribed {
  type: "subscribed";
  /** Names the event log; another one (the server was restarted) numbers its events anew. */
  log_id: string;
  /** The latest event so far; those after `after` follow if it was given, else the news only. */
  seq: number;
}

/** Something that a session said. */
export interface EventMessage {
  type: "event";
  /** Its number in the log, over all sessions; holes are other sessions' or other types. */
  seq: number;
  /** Whose event it is. */
  session_id: string;
  /** The server message as the session's client got it, without its tokens. */
  event: Record<string, unknown>;
  /** The client's labels; with `session.created` only. */
  metadata: Record<string, unknown>;
}

/** The reader was away or slow for longer than the log keeps events. */
export interface Missed {
  type: "missed";
  /** Events of all sessions and types that are gone. */
  count: number;
  /** The number of the last one that is gone. */
  seq: number;
}

/** Everything that a client may say, audio apart. */
export type ClientMessage =
  | SessionCreate
  | AudioGap
  | AgentStarted
  | AgentStopped
  | OverlapStarted
  | OverlapEnded
  | Transcript
  | SessionUpdate
  | SessionClose;

/** Everything that a server may say. */
export type ServerMessage =
  | SessionCreated
  | SessionUpdated
  | SpeechStarted
  | SpeechStopped
  | OverlapOpened
  | Interruption
  | NonInterruption
  | FalseInterruption
  | TranscriptReleased
  | TranscriptDropped
  | PredictionMade
  | ErrorMessage
  | WarningMessage
  | SessionClosed;

/** Everything that `/v1/events` may say. */
export type EventsMessage =
  | Subscribed
  | EventMessage
  | Missed;

/** One decision about one overlap. */
export type Verdict =
  | Interruption
  | NonInterruption;

/** The server's messages by their `type`. */
export interface ServerMessageMap {
  "session.created": SessionCreated;
  "session.updated": SessionUpdated;
  "speech.started": SpeechStarted;
  "speech.stopped": SpeechStopped;
  "overlap.started": OverlapOpened;
  "interruption": Interruption;
  "non_interruption": NonInterruption;
  "false_interruption": FalseInterruption;
  "transcript.released": TranscriptReleased;
  "transcript.dropped": TranscriptDropped;
  "prediction": PredictionMade;
  "error": ErrorMessage;
  "warning": WarningMessage;
  "session.closed": SessionClosed;
}

/** A `code` on the wire. */
export type ErrorCode =
  | "invalid_json"
  | "invalid_message"
  | "unknown_type"
  | "invalid_options"
  | "invalid_audio"
  | "invalid_marker"
  | "unexpected_message"
  | "not_open"
  | "create_timeout"
  | "unauthorized"
  | "forbidden"
  | "unknown_session"
  | "session_exists"
  | "recording_refused"
  | "message_too_big"
  | "audio_too_fast"
  | "slow_consumer"
  | "idle_timeout"
  | "session_too_long"
  | "replaced"
  | "resume_too_old"
  | "connection_lost"
  | "server_full"
  | "shutting_down"
  | "internal_error";

/** A `code` on the wire. */
export type WarningCode =
  | "all_zero_audio"
  | "clipped_audio"
  | "dc_offset"
  | "audio_slow"
  | "audio_fast"
  | "model_fallback"
  | "model_recovered"
  | "no_transcripts"
  | "transcripts_overflow"
  | "unknown_option"
  | "marker_clamped"
  | "recording_failed";
