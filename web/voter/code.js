// The elector's code, as the letter has it (docs/sealed-format.md,
// "Credentials").

import { sha256 } from "@noble/hashes/sha2.js";
import { concat, utf8 } from "./bytes.js";
import { Transcript } from "./transcript.js";

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

// readCode gives the 16 bytes of what a person typed, or says what to look at.
export function readCode(text) {
  const clean = text.toUpperCase().replace(/[\s-]/g, "").replace(/[IL]/g, "1").replace(/O/g, "0");
  if (clean.length !== 30) throw new Error("The code has thirty letters and digits; these are " + clean.length + ".");
  const all = new Uint8Array(19);
  for (let i = 0; i < 30; i++) {
    const v = ALPHABET.indexOf(clean[i]);
    if (v < 0) throw new Error("“" + clean[i] + "” cannot stand in a code: look at the letter again.");
    for (let j = 0; j < 5; j++) {
      const at = 5 * i + j;
      all[at >> 3] |= ((v >> (4 - j)) & 1) << (7 - (at % 8));
    }
  }
  const code = all.slice(0, 16);
  if (writeCode(code).replace(/-/g, "") !== clean) throw new Error("A letter of the code is wrong: compare it with the letter you were sent.");
  return code;
}

export function writeCode(code) {
  const all = concat(code, sha256(concat(utf8("omov/sealed/code/1\0"), code)).slice(0, 3));
  let out = "";
  for (let i = 0; i < 30; i++) {
    let v = 0;
    for (let j = 0; j < 5; j++) {
      const at = 5 * i + j;
      v = (v << 1) | ((all[at >> 3] >> (7 - (at % 8))) & 1);
    }
    if (i && i % 5 === 0) out += "-";
    out += ALPHABET[v];
  }
  return out;
}

// signingKey is the secret with which the papers of a code are signed in a
// section.
export function signingKey(code, manifestHash, section) {
  return new Transcript("credential").absorb("manifest", manifestHash).absorb("section", utf8(section)).absorb("code", code).challenge("key");
}
