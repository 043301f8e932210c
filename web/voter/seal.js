// A sealed paper: encrypted, proved and signed in the voter's browser
// (docs/sealed-format.md, "Sealed paper").

import { sha256 } from "@noble/hashes/sha2.js";
import { concat, hex, number, utf8 } from "./bytes.js";
import { BASE, ZERO, decode, encode, mod, random, scalar, times } from "./group.js";
import { embed, numberOf } from "./marks.js";
import { Transcript } from "./transcript.js";

// sign makes a Schnorr signature.
export function sign(secret, purpose, message) {
  const k = random();
  const r = encode(times(BASE, k));
  const key = encode(times(BASE, secret));
  const c = new Transcript("signature").absorb("purpose", utf8(purpose)).absorb("key", key).absorb("commitment", r).absorb("message", message).challenge();
  return concat(r, scalar(mod(k + c * secret)));
}

// verify checks one.
export function verify(key, purpose, message, signature) {
  const r = decode(signature.slice(0, 32));
  const p = decode(key);
  if (!r || !p || p.equals(ZERO) || signature.length !== 64) return false;
  let s = 0n;
  for (let i = 63; i >= 32; i--) s = (s << 8n) | BigInt(signature[i]);
  const c = new Transcript("signature").absorb("purpose", utf8(purpose)).absorb("key", key).absorb("commitment", signature.slice(0, 32)).absorb("message", message).challenge();
  return s === mod(s) && times(BASE, s).equals(r.add(times(p, c)));
}

export const hashOf = (raw) => sha256(concat(utf8("omov/sealed/paper/1\0"), raw));

// receipt is the short form of a paper's hash that people compare: the first 80
// bits in five groups of four.
export const receipt = (hash) => hex(hash.slice(0, 10)).match(/..../g).join("-");

// slotsOf fills in the marks of a paper that is added up: options, marks not
// made, the blank.
function slotsOf(c, paper) {
  const made = paper.reduce((n, v) => {
    if (v !== 0 && v !== 1) throw new Error("an option has something else than a mark");
    return n + v;
  }, 0);
  const rest = c.most - c.least;
  const slots = [...paper, ...new Array(rest).fill(0), 0];
  if (paper.length !== c.options.length) throw new Error("the paper has another number of options than the contest");
  if (!made) {
    slots[slots.length - 1] = 1;
    return slots;
  }
  if (made < c.least || made > c.most) throw new Error("The paper has " + made + " marks; it can have " + c.least + " to " + c.most + ", or none at all.");
  for (let i = 0; i < c.most - made; i++) slots[paper.length + i] = 1;
  return slots;
}

function encrypt(key, m, r) {
  return concat(encode(times(BASE, r)), encode(times(key, r).add(m)));
}

// know proves knowledge of the randomness of each ciphertext.
function know(t, rs) {
  const ks = rs.map(() => random());
  const commitments = ks.map((k) => encode(times(BASE, k)));
  commitments.forEach((x) => t.absorb("commitment", x));
  const c = t.challenge();
  return concat(...rs.map((r, i) => concat(commitments[i], scalar(mod(ks[i] + c * r)))));
}

// proveMarks proves that every slot holds 0 or 1 and that they add up. For each
// slot both branches are computed alike, whichever is true, and put in their
// places by number: JavaScript promises no constant time, but no operation is
// left out because of a mark.
function proveMarks(t, key, pairs, bits, rs, weights) {
  const made = bits.map((bit, i) => {
    const k = random();
    const fake = random();
    const z = random();
    const a = decode(pairs[i].slice(0, 32));
    const b = decode(pairs[i].slice(32));
    const shifted = [b.subtract(BASE), b][bit]; // of the branch that is made up
    const real = [times(BASE, k), times(key, k)];
    const other = [times(BASE, z).subtract(times(a, fake)), times(key, z).subtract(times(shifted, fake))];
    const order = [[...real, ...other], [...other, ...real]][bit];
    const commitments = concat(...order.map(encode));
    t.absorb("commitments", commitments);
    return { k, fake, z, commitments };
  });
  const k = random();
  const total = concat(encode(times(BASE, k)), encode(times(key, k)));
  t.absorb("total", total);
  const c = t.challenge();
  let sum = 0n;
  const out = made.map((m, i) => {
    sum += weights[i] * rs[i];
    const own = mod(c - m.fake);
    const answer = mod(m.k + own * rs[i]);
    const [c0, z0, z1] = [[own, answer, m.z], [m.fake, m.z, answer]][bits[i]];
    return concat(m.commitments, scalar(c0), scalar(z0), scalar(z1));
  });
  return concat(...out, total, scalar(mod(k + c * mod(sum))));
}

// seal makes a sealed paper. place holds manifestHash, key (the trustees' joint
// key), contest (of the manifest), section, previous and sequence; secret is the
// signing key of the voter's code. It gives the bytes, their hash, and the
// randomness for a paper that is audited and not cast.
export function seal(place, paper, secret) {
  const c = place.contest;
  const key = decode(place.key);
  if (!key || key.equals(ZERO)) throw new Error("the trustees' key is not a key");
  const sum = c.form === "sum";
  let messages;
  let bits;
  if (sum) {
    bits = slotsOf(c, paper);
    messages = bits.map((b) => [ZERO, BASE][b]);
  } else {
    const form = { kind: c.form, options: c.options.length, most: c.most, top: c.top };
    const e = embed(form, numberOf(form, paper));
    messages = Array.from({ length: e.length / 32 }, (_, i) => decode(e.slice(32 * i, 32 * i + 32)));
  }
  const rs = messages.map(() => random());
  const pairs = messages.map((m, i) => encrypt(key, m, rs[i]));
  const contest = utf8(c.id);
  const section = utf8(place.section);
  const stated = concat(
    number(1, 1), place.manifestHash, number(contest.length, 1), contest, number(section.length, 1), section,
    encode(times(BASE, secret)), place.previous, number(place.sequence, 4), number(sum ? 2 : 1, 1), number(pairs.length, 2), ...pairs);
  const t = new Transcript("paper").absorb("key", place.key).absorb("paper", stated);
  const weights = sum ? bits.map((_, i) => BigInt(i === bits.length - 1 ? c.most : 1)) : [];
  const proof = sum ? proveMarks(t, key, pairs, bits, rs, weights) : know(t, rs);
  const unsaid = concat(stated, proof);
  const raw = concat(unsaid, sign(secret, "paper", unsaid));
  const hash = hashOf(raw);
  return { raw, hash, receipt: receipt(hash), randomness: rs.map(scalar) };
}

// audit opens a paper with its randomness, on another device: does it say what
// the voter marked? Such a paper is never cast.
export function audit(place, paper, raw, randomness) {
  const c = place.contest;
  const key = decode(place.key);
  const sum = c.form === "sum";
  const form = { kind: c.form, options: c.options.length, most: c.most, top: c.top };
  const e = sum ? null : embed(form, numberOf(form, paper));
  const messages = sum ? slotsOf(c, paper).map((b) => [ZERO, BASE][b]) : Array.from({ length: e.length / 32 }, (_, i) => decode(e.slice(32 * i, 32 * i + 32)));
  const head = 1 + 32 + 1 + utf8(c.id).length + 1 + utf8(place.section).length + 32 + 32 + 4 + 1 + 2;
  return randomness.length === messages.length && messages.every((m, i) => {
    let r = 0n;
    for (let j = 31; j >= 0; j--) r = (r << 8n) | BigInt(randomness[i][j]);
    const pair = encrypt(key, m, r);
    const there = raw.slice(head + 64 * i, head + 64 * i + 64);
    return pair.every((x, j) => x === there[j]);
  });
}
