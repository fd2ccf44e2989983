import assert from "node:assert/strict";
import { test } from "node:test";

import { Framer, frameBytes } from "../../../client/browser/src/audio.js";

test("frames are 20 ms each, and what is left over waits", () => {
  const framer = new Framer();
  assert.equal(framer.push(new Float32Array(319)).length, 0);
  assert.deepEqual(framer.push(new Float32Array(642)).map((frame) => frame.length), [320, 320, 320]);
});

test("samples are scaled to 16 bit and clipped, not wrapped", () => {
  const [frame] = new Framer(5).push(Float32Array.of(0, 0.5, -1, 1, -3));
  assert.deepEqual([...frame], [0, 16384, -32768, 32767, -32768]);
});

test("each frame has its own memory", () => {
  const [first, second] = new Framer(1).push(Float32Array.of(0.25, 0.5));
  assert.notEqual(first.buffer, second.buffer);
});

test("a binary message is little-endian, with a track byte only where there are two", () => {
  const samples = Int16Array.of(1, -2);
  assert.deepEqual([...frameBytes(samples, "user", false)], [1, 0, 254, 255]);
  assert.deepEqual([...frameBytes(samples, "user", true)], [0, 1, 0, 254, 255]);
  assert.deepEqual([...frameBytes(samples, "agent", true)], [1, 1, 0, 254, 255]);
});
