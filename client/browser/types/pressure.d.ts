/** What to do when the network does not take audio as fast as it comes: leave audio out, and say so. */
/** Keeps account of one connection. */
export declare class Pressure {
    #private;
    /**
     * @param {number} tracks
     * @param {(behind: boolean, leftOut: number) => void} onchange The network fell behind, or has
     *   caught up, and so many samples were left out.
     */
    constructor(tracks: number, onchange: (behind: boolean, leftOut: number) => void);
    /** Whether more audio may be sent. @param {number} bufferedAmount Bytes that wait in the socket. */
    admits(bufferedAmount: number): boolean;
    /** @param {number} samples */
    leaveOut(samples: number): void;
    /** Whether the connection seems dead. */
    get stalled(): boolean;
    /** Samples that have to be announced as a gap before anything else is sent. */
    takeUnreported(): number;
    /** Another connection: nothing waits. */
    reset(): void;
}
