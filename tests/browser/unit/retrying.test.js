import assert from "node:assert/strict";
import { test } from "node:test";

import { BargeinError, errorForClose } from "../../../client/browser/src/failure.js";
import { Advice, adviceFor, waitsMs } from "../../../client/browser/src/retrying.js";

test("waits double up to the longest, and end", () => {
  const longest = [...waitsMs({ firstMs: 100, mostMs: 500, attempts: 5 }, () => 1)];
  assert.deepEqual(longest, [100, 200, 400, 500, 500]);
  assert.deepEqual([...waitsMs({ firstMs: 100, attempts: 2 }, () => 0)], [50, 100]);
  assert.deepEqual([...waitsMs({ attempts: 0 })], []);
});

test("an unknown close code is a lost connection, an ordinary end is no error", () => {
  assert.equal(errorForClose(1000), null);
  assert.equal(errorForClose(1001), null);
  assert.equal(errorForClose(4410), "slow_consumer");
  assert.equal(errorForClose(4999), "connection_lost");
});

test("pings that were not answered are a lost connection", () => {
  assert.equal(errorForClose(1011, "keepalive ping timeout"), "connection_lost");
  assert.equal(errorForClose(1011, "internal_error"), "internal_error");
});

test("a session that is gone is begun anew only in answer to a resume", () => {
  assert.equal(adviceFor("unknown_session", true), Advice.BEGIN_ANEW);
  assert.equal(adviceFor("unknown_session", false), Advice.GIVE_UP);
});

test("an error says its code, its fault, and in words what happened", () => {
  const error = new BargeinError("server_full");
  assert.equal(error.fault, "server");
  assert.equal(error.message, "server_full: the server holds all it can");
});
