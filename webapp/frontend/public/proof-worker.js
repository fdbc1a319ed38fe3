// The sums of a proof of work, beside the page so that typing stays smooth. A classic worker: old telephones know no other.
// Its own SHA-256: SubtleCrypto answers one hash at a time by promise (far too slow for many) and only over HTTPS.
"use strict";

const K = new Int32Array(64);
const START = new Int32Array(8);
(function constants() {
  const fraction = (x) => ((x - Math.floor(x)) * 4294967296) | 0;
  let found = 0;
  for (let n = 2; found < 64; n += 1) {
    let prime = true;
    for (let d = 2; d * d <= n; d += 1) if (n % d === 0) { prime = false; break; }
    if (!prime) continue;
    if (found < 8) START[found] = fraction(Math.sqrt(n));
    K[found] = fraction(Math.cbrt(n));
    found += 1;
  }
})();

const W = new Int32Array(64);
const block = new Uint8Array(64);

/** How many zero bits the SHA-256 of the first `length` bytes of `block` begins with. At most 55 bytes: one block. */
function zeroBits(length) {
  block.fill(0, length);
  block[length] = 0x80;
  block[62] = (length * 8) >> 8;
  block[63] = (length * 8) & 255;
  for (let i = 0, j = 0; i < 16; i += 1, j += 4) W[i] = (block[j] << 24) | (block[j + 1] << 16) | (block[j + 2] << 8) | block[j + 3];
  for (let i = 16; i < 64; i += 1) {
    const x = W[i - 15], y = W[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    W[i] = (W[i - 16] + s0 + W[i - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = START;
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + W[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
  }
  const first = (a + START[0]) | 0;
  return first !== 0 ? Math.clz32(first) : 32 + Math.clz32((b + START[1]) | 0);
}

function solve({ nonce, parts, bits }) {
  const answers = [];
  for (let part = 0; part < parts; part += 1) {
    const head = `${nonce}.${part}.`;
    for (let i = 0; i < head.length; i += 1) block[i] = head.charCodeAt(i);
    for (let answer = 0; ; answer += 1) {
      const digits = String(answer);
      for (let i = 0; i < digits.length; i += 1) block[head.length + i] = digits.charCodeAt(i);
      if (zeroBits(head.length + digits.length) >= bits) {
        answers.push(answer);
        break;
      }
    }
    postMessage({ done: part + 1, parts });
  }
  return answers;
}

onmessage = ({ data }) => postMessage({ answers: solve(data) });
