import { Capture } from "./capture.js";
import type { Session } from "./session.js";
export type MicrophoneOptions = {
    /**
     * Stream to it.
     */
    session?: Session;
    /**
     * Yours, if you have one; absent: one of its own.
     */
    context?: AudioContext;
    /**
     * What your loudspeaker plays, for a session with `reference`;
     * of the same `context`.
     */
    agent?: AudioNode;
    /**
     * Beside echo cancellation, e.g. `deviceId`.
     */
    constraints?: MediaTrackConstraints;
};
/** The open microphone. */
export declare class Microphone {
    #private;
    /** Resolves when the microphone is gone: unplugged, or its permission taken away. */
    gone: Promise<any>;
    /**
     * @param {MediaStream} stream
     * @param {MediaStreamAudioSourceNode} source
     * @param {Capture} capture
     * @param {AudioContext | null} ownContext
     */
    constructor(stream: MediaStream, source: MediaStreamAudioSourceNode, capture: Capture, ownContext: AudioContext | null);
    /**
     * Asks the user for the microphone. Call it from a click: browsers keep sound off before one.
     * @param {MicrophoneOptions} [options]
     * @returns {Promise<Microphone>}
     * @throws {DOMException} There is none, the user said no, or the browser's audio does not start.
     */
    static open({ session, context, agent, constraints }?: MicrophoneOptions): Promise<Microphone>;
    /** Frames of 16 kHz on their way out. */
    get capture(): Capture;
    /** Whether silence is sent in the user's place. */
    get muted(): boolean;
    set muted(muted: boolean);
    /** Let go of the device; the browser's recording light goes out. */
    close(): Promise<void>;
}
