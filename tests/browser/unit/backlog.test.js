import assert from "node:assert/strict";
import { test } from "node:test";

import { Backlog, gaps } from "../../../client/browser/src/backlog.js";

const frame = () => new Int16Array(320);
const started = { type: "agent.started" };

/** What was taken, in words: "@640 audio", "@640 agent.started", "gap 20". */
function told(taken) {
  return taken.map((item) => {
    if ("user" in item) return `@${item.at} audio`;
    return item.message.type === "audio.gap" ? `gap ${item.message.duration_ms}` : `@${item.at} ${item.message.type}`;
  });
}

test("what the server has filled in is left out, and the order is kept", () => {
  const backlog = new Backlog(16_000);
  backlog.add({ at: 0, user: frame() });
  backlog.add({ at: 320, message: started });
  backlog.add({ at: 320, user: frame() });
  assert.deepEqual(told(backlog.take(320, 640)), ["@320 agent.started", "@320 audio"]);
});

test("a hole becomes a gap, before, between and after", () => {
  const backlog = new Backlog(16_000);
  backlog.add({ at: 320, user: frame() });
  backlog.add({ at: 960, user: frame() });
  assert.deepEqual(told(backlog.take(0, 1600)), ["gap 20", "@320 audio", "gap 20", "@960 audio", "gap 20"]);
});

test("audio over the bound pushes out the oldest, but no message", () => {
  const backlog = new Backlog(640);
  backlog.add({ at: 0, message: started });
  for (let at = 0; at < 1600; at += 320) backlog.add({ at, user: frame() });
  assert.deepEqual(told(backlog.take(0, 1600)), ["@0 agent.started", "gap 60", "@960 audio", "@1280 audio"]);
});

test("messages are bounded as well", () => {
  const backlog = new Backlog(640);
  for (let n = 0; n < 1500; n++) backlog.add({ at: n, message: { type: "transcript", id: `${n}`, text: "" } });
  const taken = backlog.take(1500, 1500);
  assert.equal(taken.length, 1000);
  assert.equal(taken[0].at, 500);
});

test("taking empties it", () => {
  const backlog = new Backlog(640);
  backlog.add({ at: 0, user: frame() });
  assert.equal(backlog.start, 0);
  backlog.take(0, 320);
  assert.equal(backlog.start, null);
  assert.deepEqual(backlog.take(320, 320), []);
});

test("a gap of more than a minute takes several messages", () => {
  const durations = gaps(0, 16_000 * 130).map(({ message }) => message.duration_ms);
  assert.deepEqual(durations, [60_000, 60_000, 10_000]);
});

test("where a session begins anew, moments count from there", () => {
  const backlog = new Backlog(16_000);
  const words = { type: "transcript", id: "t", text: "stop", start_ms: 900, end_ms: 1500 };
  backlog.add({ at: 16_000, message: { type: "agent.started", at_ms: 1250 } });
  backlog.add({ at: 16_000, user: frame() });
  backlog.add({ at: 16_320, message: words });
  backlog.beginAt(16_000);
  const [first, audio, last] = backlog.take(0, 320);
  assert.deepEqual(first, { at: 0, message: { type: "agent.started", at_ms: 250 } });
  assert.equal(audio.at, 0);
  assert.deepEqual(last, { at: 320, message: { ...words, start_ms: 0, end_ms: 500 } });
});
