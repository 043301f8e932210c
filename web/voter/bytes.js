// Bytes, as docs/sealed-format.md writes them.

export const utf8 = (s) => new TextEncoder().encode(s);

export function concat(...parts) {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

export const hex = (b) => Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");

export function unhex(s) {
  if (!/^([0-9a-f]{2})*$/.test(s)) throw new Error("these are not hexadecimal digits");
  return Uint8Array.from(s.match(/../g) || [], (x) => parseInt(x, 16));
}

export const same = (a, b) => a.length === b.length && a.every((x, i) => x === b[i]);

export const unbase64 = (s) => Uint8Array.from(atob(s), (c) => c.charCodeAt(0));

// number gives n as so many bytes, the highest first.
export function number(n, bytes) {
  const out = new Uint8Array(bytes);
  let rest = BigInt(n);
  for (let i = bytes - 1; i >= 0; i--) {
    out[i] = Number(rest & 255n);
    rest >>= 8n;
  }
  if (rest) throw new Error("a number is too large for its place");
  return out;
}
