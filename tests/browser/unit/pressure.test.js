import assert from "node:assert/strict";
import { test } from "node:test";

import { Pressure } from "../../../client/browser/src/pressure.js";

const SECOND = 16_000;

function pressure(tracks = 1) {
  const told = [];
  return { told, network: new Pressure(tracks, (behind, leftOut) => told.push([behind, leftOut])) };
}

test("up to two seconds may wait, of each track", () => {
  assert.equal(pressure(1).network.admits(2 * SECOND * 2), true);
  assert.equal(pressure(1).network.admits(2 * SECOND * 2 + 1), false);
  assert.equal(pressure(2).network.admits(2 * SECOND * 4), true);
});

test("once behind, it has to catch up to half a second", () => {
  const { told, network } = pressure();
  network.admits(3 * SECOND * 2);
  network.leaveOut(320);
  assert.equal(network.admits(SECOND * 2), false);
  network.leaveOut(320);
  assert.equal(network.admits(SECOND), true);
  assert.deepEqual(told, [[true, 0], [false, 640]]);
});

test("what was left out is announced once", () => {
  const { network } = pressure();
  network.leaveOut(320);
  network.leaveOut(320);
  assert.equal(network.takeUnreported(), 640);
  assert.equal(network.takeUnreported(), 0);
});

test("a network that is left while it is behind has caught up, and what was lost is told", () => {
  const { told, network } = pressure();
  network.admits(3 * SECOND * 2);
  network.leaveOut(320);
  network.reset();
  network.reset();
  assert.deepEqual(told, [[true, 0], [false, 320]]);
});

test("ten seconds without a byte are a dead connection, and another one begins afresh", () => {
  const { network } = pressure();
  network.leaveOut(10 * SECOND);
  assert.equal(network.stalled, false);
  network.leaveOut(1);
  assert.equal(network.stalled, true);
  network.reset();
  assert.equal(network.stalled, false);
  assert.equal(network.takeUnreported(), 0);
});
