// The page of a second device: what does a paper that is checked really say? It
// has all it needs with it, and the page is not allowed to send anything.

import { $, grouped, list, say, says, step } from "./dom.js";
import { hex } from "./bytes.js";
import { open, readFile, unpack } from "./open.js";

export function checkPage(root, given) {
  function check(text) {
    say("wrong", "");
    try {
      const t = text.trim();
      const got = open({ manifest: given.manifest, key: given.key }, t.startsWith("{") ? readFile(t) : unpack(t.replace(/^.*#/s, "").replace(/\s/g, "")));
      list("says", says(got.contest, got.marks, namesOf(given, got.contest), given.abstain ? "Abstain" : "Nothing: a blank paper."));
      $("says").classList.toggle("ranked", got.contest.form === "ranks" && got.marks.some(Boolean));
      $("short").textContent = got.receipt;
      $("whole").textContent = grouped(hex(got.hash));
      say("section", got.section === "voters" ? "" : "Section: " + got.section);
      step("opened");
    } catch (e) {
      say("wrong", e.message);
      step("ask");
      $("wrong").focus();
    }
  }
  $("look").addEventListener("click", () => check($("text").value));
  $("again").addEventListener("click", () => step("ask"));
  $("file").addEventListener("change", async () => {
    if ($("file").files.length) check(await $("file").files[0].text());
  });
  const fragment = () => location.hash.length > 1 && check(location.hash);
  window.addEventListener("hashchange", fragment);
  root.hidden = false;
  fragment();
}

// namesOf gives the options as the paper shows them, where it is that ballot.
const namesOf = (given, contest) => (given.names.length === contest.options.length ? given.names : contest.options);
