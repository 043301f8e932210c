// Opening a paper that was not cast with the randomness it was made of, on
// another device: what does it really say? (docs/sealed-format.md.)

import { sha256 } from "@noble/hashes/sha2.js";
import { concat, hex, number, same, unhex, utf8 } from "./bytes.js";
import { BASE, ZERO, decode, encode, times, ORDER } from "./group.js";
import { embed, paperOf, width } from "./marks.js";
import { hashOf, receipt, verify } from "./seal.js";

const wrong = (what) => new Error(what);

export const manifestHash = (text) => sha256(concat(utf8("omov/sealed/manifest/1\0"), utf8(text)));

// parse takes the bytes of a sealed paper apart.
export function parse(raw) {
  let at = 0;
  const take = (n) => {
    if (at + n > raw.length) throw wrong("This is not a whole paper.");
    at += n;
    return raw.slice(at - n, at);
  };
  const int = (n) => take(n).reduce((x, b) => x * 256 + b, 0);
  const text = () => new TextDecoder().decode(take(int(1)));
  if (int(1) !== 1) throw wrong("This is not a paper that this page can read.");
  const p = { manifest: take(32), contest: text(), section: text(), key: take(32), previous: take(32), sequence: int(4), sum: int(1) === 2 };
  const n = int(2);
  if (n < 1 || n > 512) throw wrong("This is not a paper that this page can read.");
  p.pairs = Array.from({ length: n }, () => take(64));
  const proof = p.sum ? n * (128 + 96) + 96 : n * 64;
  take(proof);
  const signed = at;
  p.signature = take(64);
  if (at !== raw.length) throw wrong("There is more here than a paper.");
  p.signed = raw.slice(0, signed);
  return p;
}

// pack writes an audited paper as digits, for an address or a QR code.
export function pack(raw, randomness) {
  let n = 0n;
  for (const b of concat(number(1, 1), raw, ...randomness)) n = (n << 8n) | BigInt(b);
  return n.toString();
}

// unpack reads what pack wrote.
export function unpack(digits) {
  if (!/^[1-9][0-9]{300,40000}$/.test(digits)) throw wrong("These are not the digits of a paper. Take all of them, from the first to the last.");
  const h = BigInt(digits).toString(16);
  const all = unhex(h.length % 2 ? "0" + h : h);
  // The paper says how many ciphertexts it has; as many times is the randomness.
  const head = 1 + 1 + 32;
  const contest = all[head];
  const section = all[head + 1 + contest];
  const at = head + 2 + contest + section + 32 + 32 + 4 + 1;
  const n = all[at] * 256 + all[at + 1];
  const cut = all.length - 32 * n;
  if (all[0] !== 1 || !(n > 0) || cut < at) throw wrong("These are not the digits of a paper.");
  return { raw: all.slice(1, cut), randomness: Array.from({ length: n }, (_, i) => all.slice(cut + 32 * i, cut + 32 * i + 32)) };
}

// file writes an audited paper as omov verify reads it.
export function file(manifest, key, raw, randomness) {
  return JSON.stringify({ v: 1, manifest, key: hex(key), paper: btoa(String.fromCharCode(...raw)), randomness: randomness.map(hex) });
}

// readFile reads what file wrote.
export function readFile(text) {
  let x;
  try {
    x = JSON.parse(text);
  } catch {
    throw wrong("This is not a file of a paper that is checked.");
  }
  if (x.v !== 1 || typeof x.paper !== "string" || !Array.isArray(x.randomness)) throw wrong("This is not a file of a paper that is checked.");
  return { raw: Uint8Array.from(atob(x.paper), (c) => c.charCodeAt(0)), randomness: x.randomness.map((r) => unhex(String(r))), manifest: x.manifest, key: x.key };
}

function slots(contest, plain) {
  const bits = plain.map((m) => (m.equals(BASE) ? 1 : m.equals(ZERO) ? 0 : -1));
  if (bits.includes(-1)) throw wrong("A place of the paper holds neither a mark nor none.");
  const sum = bits.reduce((n, b, i) => n + b * (i === bits.length - 1 ? contest.most : 1), 0);
  if (sum !== contest.most || bits.length !== contest.options.length + contest.most - contest.least + 1) throw wrong("The marks of the paper do not add up.");
  return bits.slice(0, contest.options.length);
}

// open checks an audited paper against a ballot (its manifest's text and joint
// key) and gives what it says: a number for each option.
export function open(ballot, audited) {
  const p = parse(audited.raw);
  const manifest = JSON.parse(ballot.manifest);
  if (!same(p.manifest, manifestHash(ballot.manifest))) throw wrong("This paper belongs to another ballot.");
  if (audited.key !== undefined && audited.key !== ballot.key) throw wrong("This paper was sealed for another key than the trustees’: whoever has that key could read it.");
  const contest = manifest.contests.find((c) => c.id === p.contest);
  if (!contest || p.sum !== (contest.form === "sum")) throw wrong("This paper belongs to another ballot.");
  if (audited.randomness.length !== p.pairs.length) throw wrong("Something of what opens the paper is missing.");
  if (!verify(p.key, "paper", p.signed, p.signature)) throw wrong("The paper’s signature does not hold: the server would have refused it.");
  const key = decode(unhex(ballot.key));
  const plain = p.pairs.map((pair, i) => {
    const r = audited.randomness[i].reduceRight((n, b) => (n << 8n) | BigInt(b), 0n);
    const b = decode(pair.slice(32));
    if (audited.randomness[i].length !== 32 || r >= ORDER || !b || !same(encode(times(BASE, r)), pair.slice(0, 32))) {
      throw wrong("The paper was not made of what the device says: it does not tell the truth about it.");
    }
    return b.subtract(times(key, r));
  });
  const hash = hashOf(audited.raw);
  const out = { contest, section: p.section, sequence: p.sequence, hash, receipt: receipt(hash) };
  if (p.sum) return { ...out, marks: slots(contest, plain) };
  const form = { kind: contest.form, options: contest.options.length, most: contest.most, top: contest.top };
  const bytes = plain.map(encode);
  if (bytes.length !== width(form)) throw wrong("The paper has another length than this ballot’s.");
  let n = 0n;
  for (const e of bytes) for (const b of e.slice(1, 31)) n = (n << 8n) | BigInt(b);
  const marks = paperOf(form, n);
  if (!marks || !same(embed(form, n), concat(...bytes))) throw wrong("The paper would be spoilt: it says nothing that can be counted.");
  return { ...out, marks };
}
