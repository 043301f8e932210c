// What the voter's pages need: sealing a paper, opening one that is checked,
// following one to the signed record. These modules send nothing and keep
// nothing; pages.js, which runs the page that it finds itself on, does.

export { readCode, signingKey, writeCode } from "./code.js";
export { audit, hashOf, receipt, seal, sign, verify } from "./seal.js";
export { count, embed, numberOf, paperOf, width } from "./marks.js";
export { manifestHash, open, pack, parse, readFile, unpack, file } from "./open.js";
export { checkpoint, follow } from "./record.js";
export { draw } from "./qr.js";
export { Transcript, wide } from "./transcript.js";
export { hex, unhex, utf8 } from "./bytes.js";
export { encode, scalar, times, BASE } from "./group.js";

import "./pages.js";
