// Is a paper in the record? Followed from the paper's hash to the root of a
// signed checkpoint, by the reader's own device (docs/verifying.md, "Entries";
// RFC 6962; C2SP tlog-checkpoint).

import { ed25519 } from "@noble/curves/ed25519.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { concat, hex, number, same, unbase64, unhex, utf8 } from "./bytes.js";
import { hashOf } from "./seal.js";

const wrong = (what) => new Error(what);

// root is the root of a tree of that size, by a proof for the leaf at an index.
function root(leaf, proof, index, size) {
  let at = BigInt(index);
  let last = BigInt(size) - 1n;
  if (at < 0n || at > last) throw wrong("The signed record is shorter than where the paper is said to be.");
  let h = sha256(concat(number(0, 1), leaf));
  for (const p of proof) {
    if (last === 0n) throw wrong("The proof is too long.");
    if (at & 1n || at === last) {
      h = sha256(concat(number(1, 1), p, h));
      while (!(at & 1n) && at !== 0n) {
        at >>= 1n;
        last >>= 1n;
      }
    } else {
      h = sha256(concat(number(1, 1), h, p));
    }
    at >>= 1n;
    last >>= 1n;
  }
  if (last !== 0n) throw wrong("The proof is too short.");
  return h;
}

// checkpoint reads a signed checkpoint and checks it with a verifier key.
export function checkpoint(note, key) {
  const cut = note.indexOf("\n\n");
  const text = note.slice(0, cut + 1);
  const [origin, size, hash] = text.split("\n");
  const [name, id, ...rest] = key.split("+");
  const public_ = unbase64(rest.join("+"));
  const line = note.slice(cut + 2).split("\n").find((l) => l.startsWith("— " + name + " "));
  const signature = line && unbase64(line.slice(name.length + 3));
  if (cut < 0 || origin !== name || !/^[1-9][0-9]*$/.test(size) || !signature || hex(signature.slice(0, 4)) !== id || public_[0] !== 1) {
    throw wrong("The record is not signed by this organisation’s key.");
  }
  if (!ed25519.verify(signature.slice(4), utf8(text), public_.slice(1))) throw wrong("The signature of the record does not hold.");
  return { size, root: unbase64(hash) };
}

// follow checks a found paper from its hash to the signed root. begin is what
// the reader has of the hash, in hexadecimal.
export function follow(found, begin, key) {
  const body = unbase64(found.body);
  const paper = unbase64(JSON.parse(new TextDecoder().decode(body)).paper);
  const hash = hex(hashOf(paper));
  if (!hash.startsWith(begin) || hash !== found.hash) throw wrong("The server showed another paper than the one that was asked for.");
  const leaf = unbase64(found.leaf);
  const commitment = sha256(concat(utf8("omov/body/1\0"), unbase64(found.salt), body));
  if (leaf.length < 34 || leaf[leaf.length - 33] !== 0 || !same(leaf.slice(-32), commitment)) throw wrong("The entry does not hold the paper.");
  const head = JSON.parse(new TextDecoder().decode(leaf.slice(0, -33)));
  if (head.seq !== found.seq || head.kind !== "seal.paper/1") throw wrong("The entry is another one than the server says.");
  const signed = checkpoint(found.checkpoint, key);
  if (!same(root(leaf, found.proof.map(unhex), found.seq - 1, signed.size), signed.root)) throw wrong("The signed record does not hold the paper.");
  return { hash, size: signed.size };
}
