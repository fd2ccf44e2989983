/**
 * Lets an audio context run. Call it from a click: browsers keep sound off before one.
 * @param {AudioContext} context
 * @throws {DOMException} `InvalidStateError`: it does not. Firefox never lets one run where there is
 *   no loudspeaker, and says nothing.
 */
export declare function resume(context: AudioContext): Promise<void>;
