/** Zero crossings of the sinc on each side: how steep the filter is. */
const CROSSINGS = 24;
/** The passband's share of the lower Nyquist frequency; the rest is the filter's slope. */
const PASSBAND = 0.93;
/** Of the Kaiser window: about 80 dB of attenuation. */
const BETA = 8;

/**
 * Changes the sample rate of a stream of any piece lengths: a polyphase windowed-sinc filter.
 *
 * It delays the sound by half the filter, 1.5 ms for 48 kHz to 16 kHz. The result does not depend
 * on how the stream was cut.
 */
export class Resampler {
  #up;
  #down;
  #half;
  /** One row of the filter per phase. */
  #phases;
  #buffer;
  #filled;
  #output = new Float32Array(256);
  /** Where the next output lies: input samples into the buffer, and phase / up. */
  #index = 0;
  #phase = 0;

  /**
   * @param {number} from Samples per second that come in.
   * @param {number} to Samples per second that go out.
   */
  constructor(from, to) {
    const divisor = gcd(from, to);
    this.#up = to / divisor;
    this.#down = from / divisor;
    const cutoff = Math.min(1, to / from) * PASSBAND;
    this.#half = Math.ceil(CROSSINGS / cutoff);
    this.#phases = filterPhases(this.#up, this.#half, cutoff);
    this.#buffer = new Float32Array(2 * this.#half + 1024);
    this.#filled = this.#half; // silence before the first sample
  }

  /**
   * @param {Float32Array} input
   * @returns {Float32Array} What can be told by now; valid until the next call.
   */
  push(input) {
    this.#append(input);
    const taps = 2 * this.#half;
    const most = Math.ceil((input.length * this.#up) / this.#down) + 1;
    if (this.#output.length < most) this.#output = new Float32Array(2 * most);
    let written = 0;
    while (this.#index + taps < this.#filled) {
      this.#output[written++] = this.#sampleAt(this.#index, taps);
      this.#phase += this.#down;
      this.#index += Math.floor(this.#phase / this.#up);
      this.#phase %= this.#up;
    }
    this.#forget(Math.min(this.#index, this.#filled));
    return this.#output.subarray(0, written);
  }

  /** @param {number} index @param {number} taps */
  #sampleAt(index, taps) {
    const filter = this.#phases[this.#phase];
    const buffer = this.#buffer;
    let sum = 0;
    for (let tap = 0; tap <= taps; tap++) sum += filter[tap] * buffer[index + tap];
    return sum;
  }

  /** @param {Float32Array} input */
  #append(input) {
    const needed = this.#filled + input.length;
    if (needed > this.#buffer.length) {
      const larger = new Float32Array(2 * needed);
      larger.set(this.#buffer.subarray(0, this.#filled));
      this.#buffer = larger;
    }
    this.#buffer.set(input, this.#filled);
    this.#filled = needed;
  }

  /** @param {number} samples */
  #forget(samples) {
    this.#buffer.copyWithin(0, samples, this.#filled);
    this.#filled -= samples;
    this.#index -= samples;
  }
}

/**
 * @param {number} up
 * @param {number} half Input samples on each side.
 * @param {number} cutoff Of the input's Nyquist frequency.
 * @returns {Float32Array[]}
 */
function filterPhases(up, half, cutoff) {
  const norm = bessel0(BETA);
  return Array.from({ length: up }, (_, phase) => {
    const row = Float64Array.from({ length: 2 * half + 1 }, (_unused, tap) => {
      const distance = tap - half - phase / up;
      const edge = 1 - (distance / (half + 1)) ** 2;
      const window = edge > 0 ? bessel0(BETA * Math.sqrt(edge)) / norm : 0;
      return cutoff * sinc(cutoff * distance) * window;
    });
    const gain = row.reduce((sum, value) => sum + value, 0);
    return Float32Array.from(row, (value) => value / gain);
  });
}

/** @param {number} x */
const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** The modified Bessel function of the first kind, order 0, by its series. @param {number} x */
function bessel0(x) {
  let sum = 1;
  for (let term = 1, k = 1; term > 1e-12 * sum; k++) {
    term *= (x / 2 / k) ** 2;
    sum += term;
  }
  return sum;
}

/** @param {number} a @param {number} b @returns {number} */
const gcd = (a, b) => (b === 0 ? a : gcd(b, a % b));
