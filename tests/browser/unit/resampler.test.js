import assert from "node:assert/strict";
import { test } from "node:test";

import { Resampler } from "../../../client/browser/src/resampler.js";

const RATES = [8_000, 22_050, 24_000, 44_100, 48_000, 96_000];

/** @param {number} rate @param {number} frequency @param {number} seconds */
function tone(rate, frequency, seconds) {
  return Float32Array.from({ length: rate * seconds }, (_, n) => Math.sin((2 * Math.PI * frequency * n) / rate));
}

/** Resamples in pieces of the given lengths, over and over. */
function resample(samples, from, to, pieces = [samples.length]) {
  const resampler = new Resampler(from, to);
  const out = [];
  for (let start = 0, turn = 0; start < samples.length; turn++) {
    const end = Math.min(samples.length, start + pieces[turn % pieces.length]);
    out.push(...resampler.push(samples.subarray(start, end)));
    start = end;
  }
  return out;
}

/** The level of the middle of a signal in dB, relative to a full-scale sine. */
function level(samples) {
  const middle = samples.slice(samples.length / 4, (3 * samples.length) / 4);
  const power = middle.reduce((sum, x) => sum + x * x, 0) / middle.length;
  return 10 * Math.log10(2 * power);
}

for (const rate of RATES) {
  test(`${rate} Hz: a voice passes unchanged`, () => {
    const edge = 0.42 * Math.min(rate, 16_000);
    for (const frequency of [100, 1000, edge]) {
      const out = resample(tone(rate, frequency, 0.5), rate, 16_000);
      assert.ok(Math.abs(level(out)) < 0.1, `${frequency} Hz comes out at ${level(out)} dB`);
    }
  });

  test(`${rate} Hz: the length is right to a few milliseconds, and silence stays silence`, () => {
    const out = resample(new Float32Array(rate), rate, 16_000);
    assert.ok(out.length <= 16_000 && out.length > 16_000 - 96, `${out.length} samples`);
    assert.ok(out.every((sample) => sample === 0));
  });

  test(`${rate} Hz: how the stream was cut makes no difference`, () => {
    const samples = tone(rate, 440, 0.25);
    const whole = resample(samples, rate, 16_000);
    assert.deepEqual(resample(samples, rate, 16_000, [128]), whole);
    assert.deepEqual(resample(samples, rate, 16_000, [1, 127, 500, 3]), whole);
  });
}

for (const [rate, frequency] of [[48_000, 9_000], [48_000, 15_000], [44_100, 9_500], [96_000, 30_000]]) {
  test(`${frequency} Hz at ${rate} Hz does not fold into the voice`, () => {
    assert.ok(level(resample(tone(rate, frequency, 0.5), rate, 16_000)) < -70);
  });
}
