import assert from "node:assert/strict";
import { test } from "node:test";

import { Capture } from "../../../client/browser/src/capture.js";

test("a module that could not be loaded is asked for again, one that is loading is not", async () => {
  const asked = [];
  const context = {
    audioWorklet: {
      addModule: (url) => {
        asked.push(url);
        return Promise.reject(new Error("offline"));
      },
    },
  };
  const both = await Promise.allSettled([Capture.open(context), Capture.open(context)]);
  assert.deepEqual(both.map(({ reason }) => reason.message), ["offline", "offline"]);
  assert.deepEqual(asked, [Capture.workletUrl]);
  await assert.rejects(Capture.open(context), /offline/);
  assert.equal(asked.length, 2);
});
