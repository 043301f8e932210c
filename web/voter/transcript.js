// A transcript turns a statement into its challenge (docs/sealed-format.md,
// "Transcript").

import { sha512 } from "@noble/hashes/sha2.js";
import { concat, number, utf8 } from "./bytes.js";
import { ORDER } from "./group.js";

export class Transcript {
  constructor(protocol) {
    this.hash = sha512.create();
    this.absorb("omov/sealed/1", utf8(protocol));
  }

  absorb(name, ...parts) {
    const label = utf8(name);
    const data = concat(...parts);
    this.hash.update(concat(number(label.length, 1), label, number(data.length, 8), data));
    return this;
  }

  draw(name) {
    this.absorb("draw", utf8(name));
    return this.hash.clone().digest();
  }

  challenge(name = "challenge") {
    return wide(this.draw(name));
  }
}

// wide reads 64 bytes, little-endian, modulo the order of the group.
export function wide(b) {
  let n = 0n;
  for (let i = b.length - 1; i >= 0; i--) n = (n << 8n) | BigInt(b[i]);
  return n % ORDER;
}
