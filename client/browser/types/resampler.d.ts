/**
 * Changes the sample rate of a stream of any piece lengths: a polyphase windowed-sinc filter.
 *
 * It delays the sound by half the filter, 1.5 ms for 48 kHz to 16 kHz. The result does not depend
 * on how the stream was cut.
 */
export declare class Resampler {
    #private;
    /**
     * @param {number} from Samples per second that come in.
     * @param {number} to Samples per second that go out.
     */
    constructor(from: number, to: number);
    /**
     * @param {Float32Array} input
     * @returns {Float32Array} What can be told by now; valid until the next call.
     */
    push(input: Float32Array): Float32Array;
}
