/** Reads the WAV files of recordings: 16 kHz mono, 16 bit; also those whose header a crash left behind. */

const HEADER_BYTES = 44;

/**
 * @param {ArrayBuffer} data
 * @returns {Int16Array}
 * @throws {Error} Not such a file.
 */
export function readWav(data) {
  const view = new DataView(data);
  const right =
    data.byteLength >= HEADER_BYTES &&
    view.getUint32(0) === 0x52494646 && // RIFF
    view.getUint16(22, true) === 1 &&
    view.getUint32(24, true) === 16_000 &&
    view.getUint16(34, true) === 16;
  if (!right) throw new Error("not a WAV file of a recording (16 kHz, mono, 16 bit)");
  return new Int16Array(data, HEADER_BYTES, Math.floor((data.byteLength - HEADER_BYTES) / 2));
}
