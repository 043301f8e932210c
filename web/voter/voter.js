// What the voter's page needs to seal a paper. It sends nothing and keeps
// nothing: the page that uses it does.

export { readCode, signingKey, writeCode } from "./code.js";
export { audit, hashOf, receipt, seal, sign, verify } from "./seal.js";
export { count, embed, numberOf, width } from "./marks.js";
export { Transcript, wide } from "./transcript.js";
export { hex, unhex, utf8 } from "./bytes.js";
export { encode, scalar, times, BASE } from "./group.js";
