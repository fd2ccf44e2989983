// Drives LiveKit's own detector streams by a script, in real time; see detector.py, whose input and
// output it shares.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const require = createRequire(`${process.env.LIVEKIT_PACKAGES}/`);
const { initializeLogger } = require('@livekit/agents');
// Not exported by the package: only an AgentSession makes one. The file is the package's own.
const { AdaptiveInterruptionDetector } = require(
  `${process.env.LIVEKIT_PACKAGES}/node_modules/@livekit/agents/dist/inference/interruption/interruption_detector.cjs`,
);
const { AudioFrame } = require('@livekit/rtc-node');

const PATIENCE_MS = 5000;
const FRAME_MS = 20;
const FRAME_SAMPLES = FRAME_MS * 16;

const report = (scenario, fields) => console.log(JSON.stringify({ scenario, ...fields }));

function described(event) {
  const probabilities = event.probabilities ?? [];
  const first = probabilities.findIndex((p) => p > 0);
  return {
    interruption: event.isInterruption,
    probability: event.probability,
    requests: event.numRequests,
    frames: probabilities.length,
    leading_zeros: first < 0 ? probabilities.length : first,
    delay_s: event.totalDurationInS,
  };
}

async function act(detector, stream, action, argument) {
  const now = Date.now();
  switch (action) {
    case 'agent_started':
      return stream.pushFrame({ type: 'agent-speech-started' });
    case 'agent_ended':
      return stream.pushFrame({ type: 'agent-speech-ended' });
    case 'overlap_started':
      return stream.pushFrame({
        type: 'overlap-speech-started',
        speechDuration: argument,
        startedAt: now - argument,
      });
    case 'overlap_ended':
      return stream.pushFrame({ type: 'overlap-speech-ended', endedAt: now });
    case 'threshold':
      return detector.updateOptions({ threshold: argument });
  }
}

async function speak(name, detector, stream, pcm, script) {
  const steps = [...script].sort((a, b) => a[0] - b[0]);
  let began = performance.now();
  for (let start = 0; start < pcm.length; start += FRAME_SAMPLES) {
    const atMs = start / 16;
    await sleep(Math.max(0, began + atMs - performance.now()));
    while (steps.length && steps[0][0] <= atMs) {
      const [, action, argument] = steps.shift();
      if (action === 'pause') {
        await sleep(argument);
        began += argument;
        continue;
      }
      await act(detector, stream, action, argument);
      report(name, { acted: action });
    }
    const data = pcm.slice(start, start + FRAME_SAMPLES);
    await stream.pushFrame(new AudioFrame(data, 16000, 1, data.length));
  }
  await sleep(300);
  await stream.endInput();
}

async function play({ name, pcm, threshold, script }) {
  const detector = new AdaptiveInterruptionDetector({
    inferenceTimeout: PATIENCE_MS,
    ...(threshold == null ? {} : { threshold }),
  });
  detector.on('error', (error) => report(name, { error: error.message }));
  const stream = detector.createStream();
  const bytes = readFileSync(pcm);
  const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const speaking = speak(name, detector, stream, samples, script).catch(() => {});
  try {
    for await (const event of stream.stream()) report(name, { event: described(event) });
    await speaking;
  } catch (error) {
    report(name, { failed: error.constructor.name });
  }
  await stream.close();
  report(name, { done: true });
}

initializeLogger({ pretty: false, level: 'silent' });
console.log(JSON.stringify({ ready: true }));
const { scenarios } = JSON.parse(readFileSync(0, 'utf8'));
await Promise.all(scenarios.map(play));
process.exit(0);
