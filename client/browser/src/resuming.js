/** How long a browser may take until its audio runs. */
const LONGEST_MS = 5000;

/**
 * Lets an audio context run. Call it from a click: browsers keep sound off before one.
 * @param {AudioContext} context
 * @throws {DOMException} `InvalidStateError`: it does not. Firefox never lets one run where there is
 *   no loudspeaker, and says nothing.
 */
export async function resume(context) {
  let timer = 0;
  const late = new Promise((_, reject) => {
    const error = new DOMException(
      "The browser's audio does not start: it found no loudspeaker, or no click came before.",
      "InvalidStateError",
    );
    timer = setTimeout(() => reject(error), LONGEST_MS);
  });
  try {
    await Promise.race([context.resume(), late]);
  } finally {
    clearTimeout(timer);
  }
}
