// The voter's page: fill in, seal, look at the code, then cast or check. What is
// marked and the voting code stay in memory; before "cast" nothing leaves the
// browser but the public half of the code, to learn what the paper follows.

import { readCode, signingKey } from "./code.js";
import { hex, unhex } from "./bytes.js";
import { BASE, encode, times } from "./group.js";
import { $, ask, grouped, list, put, save, say, says, step } from "./dom.js";
import { draw } from "./qr.js";
import { file, manifestHash, open, pack } from "./open.js";
import { follow } from "./record.js";
import { receipt, seal } from "./seal.js";

export function paperPage(root, given) {
  const ballot = { manifest: given.manifest, key: given.key };
  const hash = manifestHash(given.manifest);
  const contest = JSON.parse(given.manifest).contests.find((c) => c.id === given.contest);
  const base = location.origin + given.base;
  let seat; // what the voter's next paper has to follow
  let sealed; // the paper that is waiting for a decision

  const fields = fieldsOf(given, contest);
  for (const b of root.querySelectorAll("[data-do]")) b.addEventListener("click", () => acts[b.dataset.do]());
  if ($("code")) $("code").addEventListener("change", () => say("code-wrong", codeWrong()));
  root.hidden = false;

  function codeWrong() {
    try {
      readCode($("code").value);
      return "";
    } catch (e) {
      return e.message;
    }
  }

  // secret is the signing key of the voter's code; the code is read anew each
  // time and kept nowhere else.
  const secret = () => signingKey(readCode(given.code || $("code").value), hash, given.section);

  async function look() {
    const key = hex(encode(times(BASE, secret())));
    seat = await ask(given.base + "/sealed/credential/" + key);
    if (!seat.listed || seat.section !== given.section) {
      const e = new Error("This voting code is not on the list of this ballot" + (given.named ? " in this section" : "") + ". Compare it with the letter: is it the letter for this ballot?" + (given.registrar ? " If it is, ask " + given.registrar + ", who made the codes." : ""));
      e.status = 403;
      throw e;
    }
  }

  function make() {
    const marks = fields.marks();
    const place = { manifestHash: hash, key: unhex(given.key), contest, section: given.section, previous: unhex(seat.previous), sequence: seat.sequence + 1 };
    const from = performance.now();
    sealed = { ...seal(place, marks, secret()), marks };
    root.dataset.took = (performance.now() - from).toFixed(1);
  }

  function show() {
    list("says", fields.says(sealed.marks));
    $("says").classList.toggle("ranked", contest.form === "ranks" && sealed.marks.some(Boolean));
    for (const id of ["short", "short-cast", "short-check"]) $(id).textContent = sealed.receipt;
    for (const id of ["whole", "whole-check"]) $(id).textContent = grouped(hex(sealed.hash));
    put("code-picture", draw("QR code of this paper’s code", base + "/receipt#" + hex(sealed.hash)));
    say("replaces", seat.sequence ? "A paper of yours is in the record already, with the code " + receipt(unhex(seat.previous)) + ". If you cast this one, it replaces that one." : "");
    step("decide");
  }

  // refuse says what happened, whether the vote was recorded, and what to do.
  function refuse(what, recorded, again) {
    $("what").textContent = what;
    $("recorded").textContent = recorded;
    for (const b of root.querySelectorAll('[data-step="refused"] [data-do]')) b.hidden = b.dataset.do !== again;
    step("refused");
  }

  const none = "Your vote was not recorded.";
  const whose = given.code ? "in your name" : "with your voting code";
  const stands = () => (seat && seat.sequence ? " The paper with the code " + receipt(unhex(seat.previous)) + ", which was cast before, stands." : "");

  async function refused(e) {
    if (e.status === undefined || e.status >= 500) {
      window.addEventListener("beforeunload", stay);
      return refuse("The server did not answer.", "It is not known whether your vote was recorded. Leave this page open and send the same paper again: however often it is sent, it is in the record once.", "resend");
    }
    if (e.status === 409 && e.reason === "stale") {
      try {
        await look();
      } catch {
        return refuse("A vote was cast " + whose + " while this page was open.", none, "anew");
      }
      return refuse("While this page was open, a vote was cast " + whose + " from elsewhere; its paper has the code " + receipt(unhex(seat.previous)) + ". If that was you, on another device, you can let it stand or replace it with this one. If it was not you, somebody " + (given.code ? "can vote in your name" : "has your voting code") + ": replace the vote, and tell the returning officer.", none, "replace");
    }
    if (e.status === 410) return refuse("Voting has ended.", none + stands());
    return refuse(e.message, none + stands(), e.status === 403 ? undefined : "anew");
  }

  const stay = (e) => e.preventDefault();

  async function send() {
    busy("cast", true);
    try {
      const got = await ask(given.base + "/sealed/paper", sealed.raw);
      window.removeEventListener("beforeunload", stay);
      await recorded(got);
    } catch (e) {
      await refused(e);
    }
    busy("cast", false);
  }

  async function recorded(got) {
    sealed.randomness = undefined;
    $("entry").textContent = got.seq;
    $("entry").href = "/minutes/" + got.seq;
    $("find").href = given.base + "/receipt#" + hex(sealed.hash);
    put("receipt-picture", draw("QR code of this receipt", base + "/receipt#" + hex(sealed.hash)));
    say("replaced", seat.sequence ? "It has replaced the paper with the code " + receipt(unhex(seat.previous)) + "." : "");
    $("proof").textContent = "Your device is looking whether the signed record holds it …";
    step("recorded");
    try {
      const at = follow(await ask(given.base + "/sealed/papers/" + hex(sealed.hash)), hex(sealed.hash), given.log);
      $("proof").textContent = "Your device has checked that the signed record, of " + at.size + " entries, holds this paper.";
    } catch (e) {
      $("proof").textContent = e.status === undefined && e.name !== "Error" ? "The record could not be looked at just now; look your paper up later." : e.message + " Keep this code, and tell the returning officer and the scrutineers.";
    }
  }

  function busy(what, on) {
    for (const b of root.querySelectorAll('[data-do="' + what + '"]')) b.disabled = on;
  }

  const acts = {
    async seal() {
      const wrong = (!given.code && codeWrong() ? "Look at your voting code again." : "") || fields.wrong();
      say("wrong", wrong && wrong + " Nothing has been sent.");
      if (!given.code) say("code-wrong", codeWrong());
      if (wrong) return $("wrong").focus();
      busy("seal", true);
      try {
        await look();
        make();
        show();
      } catch (e) {
        say("wrong", (e.status === undefined && e.name !== "Error" ? "The server did not answer, so the paper cannot be sealed yet. Try again." : e.message) + " Nothing has been recorded.");
        $("wrong").focus();
      }
      busy("seal", false);
    },
    cast: send,
    resend: send,
    change() {
      sealed = undefined;
      step("fill");
    },
    anew() {
      acts.change();
    },
    replace() {
      make();
      show();
    },
    check() {
      const address = base + "/check";
      const digits = pack(sealed.raw, sealed.randomness);
      const text = file(ballot.manifest, unhex(ballot.key), sealed.raw, sealed.randomness);
      open(ballot, sealed); // what is shown elsewhere must hold here
      const picture = draw("QR code of the paper that is checked", address + "#", digits);
      put("check-picture", picture);
      $("check-long").hidden = Boolean(picture);
      $("check-text").value = address + "#" + digits;
      acts.file = () => save("paper-to-check.json", text);
      sealed = undefined; // it is never cast
      step("check");
    },
    copy() {
      $("check-text").select();
      if (navigator.clipboard) navigator.clipboard.writeText($("check-text").value).catch(() => {});
    },
    keep() {
      save("receipt.txt", given.title + "\nYour sealed paper has the code\n" + sealed.receipt + "\n" + hex(sealed.hash) + "\nEntry " + $("entry").textContent + " of the minute book\n" + base + "/receipt#" + hex(sealed.hash) + "\n\nIt does not say how you voted.\n");
    },
  };
}

// fieldsOf reads the paper as it is filled in.
function fieldsOf(given, contest) {
  const boxes = [...document.querySelectorAll("[data-option]")];
  const n = contest.options.length;
  const blank = given.abstain ? "Abstain" : "Nothing: a blank paper. It counts as a paper that came back, and for nobody.";
  if (contest.form === "ranks") swap(boxes);
  const marks = () => {
    const out = new Array(n).fill(0);
    for (const b of boxes) {
      const i = Number(b.dataset.option);
      if (i >= 0) out[i] = contest.form === "ranks" ? Number(b.value) : Number(b.checked);
    }
    return out;
  };
  return {
    marks,
    says: (m) => says(contest, m, given.names, blank),
    wrong() {
      const m = marks();
      if ($("declare") && !$("declare").checked) return "To vote in this section, tick the declaration.";
      if (given.abstain && !boxes.some((b) => b.checked)) return "Choose one of the answers.";
      const made = m.filter(Boolean).length;
      if (contest.form === "ranks") {
        for (let place = 1; place <= made; place++) {
          if (!m.includes(place)) return "Place " + place + " is left out. Places go on without a gap, as far as you like.";
        }
      } else if (contest.most && made > contest.most) {
        return "There are " + made + " marks, and the paper can have " + contest.most + ". Take some away.";
      }
      return made ? quotas(given.quotas || [], m) : "";
    },
  };
}

// quotas are rules of the rulebook on what a valid paper names.
function quotas(list, marks) {
  const made = marks.filter(Boolean).length;
  for (const q of list) {
    const has = q.options.filter((i) => marks[i]).length;
    let kept = has >= (q.least || 0) && (!q.no_more || has <= (q.most || 0));
    if (q.share) {
      const [a, b = 1] = q.share.split("/").map(Number);
      const d = has * b - made * a;
      kept = q.no_more ? d <= 0 : q.more ? d > 0 : d >= 0;
    }
    if (!kept) return "The paper would be void: a valid one names " + q.says + ".";
  }
  return "";
}

// swap lets a place that is given twice change hands, so that no place ever is.
function swap(boxes) {
  const before = new Map(boxes.map((b) => [b, b.value]));
  for (const box of boxes) {
    box.addEventListener("change", () => {
      const other = boxes.find((b) => b !== box && b.value === box.value && box.value !== "");
      if (other) {
        other.value = before.get(box);
        before.set(other, other.value);
      }
      before.set(box, box.value);
    });
  }
}
