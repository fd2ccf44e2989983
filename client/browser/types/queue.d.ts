/**
 * Messages on their way to one `for await`; unbounded, for they are small and few.
 * @template Message
 * @implements {AsyncIterableIterator<Message>}
 */
export declare class MessageQueue<Message> implements AsyncIterableIterator<Message> {
    #private;
    /** @param {() => void} released Called when nobody reads any more. */
    constructor(released: () => void);
    /** @param {Message} message */
    put(message: Message): void;
    /** Nothing comes any more; what is there can still be read. @param {Error} [error] */
    end(error?: Error): void;
    /** @returns {Promise<IteratorResult<Message>>} */
    next(): Promise<IteratorResult<Message>>;
    /** @returns {Promise<IteratorResult<Message>>} */
    return(): Promise<IteratorResult<Message>>;
    [Symbol.asyncIterator](): this;
}
