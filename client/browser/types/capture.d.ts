/** @import { Session } from "./session.js" */
import type { Session } from "./session.js";
/**
 * Taps sound in an audio graph: 16 kHz frames of 20 ms, made in the audio thread.
 *
 * `onframe` is called for each; `streamTo` sends them to a session.
 */
export declare class Capture {
    #private;
    /** Where the audio thread's module is; set it if a bundler has moved this one away from it. */
    static workletUrl: string;
    /**
     * @param {AudioContext} context
     * @param {AudioNode} user
     * @param {AudioNode | undefined} agent
     */
    constructor(context: AudioContext, user: AudioNode, agent: AudioNode | undefined);
    /**
     * @param {AudioContext} context Of any sample rate.
     * @param {AudioNode} user What the user says, e.g. a `MediaStreamAudioSourceNode`.
     * @param {AudioNode} [agent] What the loudspeaker plays.
     * @returns {Promise<Capture>}
     */
    static open(context: AudioContext, user: AudioNode, agent?: AudioNode): Promise<Capture>;
    /**
     * Called for every 20 ms.
     * @type {(user: Int16Array, agent?: Int16Array) => void}
     */
    onframe: (user: Int16Array, agent?: Int16Array) => void;
    /** Send every frame to `session` while it lives. @param {Session} session */
    streamTo(session: Session): void;
    /** Let go of the graph. */
    close(): void;
}
