// The group ristretto255 (RFC 9496), from noble-curves.

import { ristretto255 } from "@noble/curves/ed25519.js";

export const Point = ristretto255.Point;
export const ORDER = Point.Fn.ORDER;
export const BASE = Point.BASE;
export const ZERO = Point.ZERO;

// times multiplies by a scalar from 0 on; noble wants it not to be 0.
export const times = (p, k) => (k === 0n ? ZERO : p.multiply(k));

// decode gives the element of 32 canonical bytes, or null.
export function decode(b) {
  try {
    return Point.fromBytes(b);
  } catch {
    return null;
  }
}

export const encode = (p) => p.toBytes();

// scalar writes a scalar as 32 bytes, little-endian.
export function scalar(k) {
  const out = new Uint8Array(32);
  for (let i = 0; i < 32; i++) {
    out[i] = Number(k & 255n);
    k >>= 8n;
  }
  return out;
}

export const mod = (k) => ((k % ORDER) + ORDER) % ORDER;

// random draws a scalar from 1 on: 64 bytes of the browser's randomness, so
// that none is likelier than another.
export function random() {
  for (;;) {
    const b = crypto.getRandomValues(new Uint8Array(64));
    let n = 0n;
    for (const x of b) n = (n << 8n) | BigInt(x);
    b.fill(0);
    if (n % ORDER) return n % ORDER;
  }
}
