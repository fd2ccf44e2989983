import assert from "node:assert/strict";
import { test } from "node:test";

import { MessageQueue } from "../../../client/browser/src/queue.js";

test("messages come in order, those before the reading and those after", async () => {
  const queue = new MessageQueue(() => {});
  queue.put(1);
  const read = (async () => {
    const all = [];
    for await (const message of queue) all.push(message);
    return all;
  })();
  queue.put(2);
  await Promise.resolve();
  queue.put(3);
  queue.end();
  assert.deepEqual(await read, [1, 2, 3]);
});

test("an error comes after what was there", async () => {
  const queue = new MessageQueue(() => {});
  queue.put(1);
  queue.end(new Error("gone"));
  assert.deepEqual(await queue.next(), { value: 1, done: false });
  await assert.rejects(queue.next(), /gone/);
});

test("leaving the loop says so", async () => {
  let released = 0;
  const queue = new MessageQueue(() => released++);
  queue.put(1);
  for await (const _ of queue) break;
  assert.equal(released, 1);
  assert.deepEqual(await queue.next(), { value: undefined, done: true });
});
