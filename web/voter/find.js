// "Is my paper in the record?": asked of the server, and checked here. Without
// the script the server's word stands alone, and the page says so.

import { $, ask, grouped, say, step } from "./dom.js";
import { follow } from "./record.js";

export function findPage(root, given) {
  const form = $("find");

  async function find(text) {
    const begin = text.toLowerCase().replace(/[\s-]/g, "");
    say("wrong", "");
    if (!/^([0-9a-f]{20}|[0-9a-f]{64})$/.test(begin)) {
      say("wrong", "A short code has five groups of four, a whole one 64 letters and digits, from 0 to 9 and a to f. Look at it again.");
      step("ask");
      return $("wrong").focus();
    }
    try {
      const found = await ask(given.base + "/sealed/papers/" + begin);
      const at = follow(found, begin, given.log);
      $("whole").textContent = grouped(at.hash);
      $("entry").textContent = found.seq;
      $("entry").href = "/minutes/" + found.seq;
      $("size").textContent = at.size;
      $("stands").hidden = !found.standing;
      $("replaced").hidden = found.standing;
      if (!found.standing) $("by").textContent = found.replaced_by.slice(0, 20).match(/..../g).join("-");
      step("found");
    } catch (e) {
      say("wrong", e.status === 404 ? "No paper with this code is in the record of this ballot. Look at the code again. If it is right, and you were told that your vote was recorded, show your receipt to the returning officer and the scrutineers." : e.status === undefined && e.name !== "Error" ? "The server did not answer. Try again." : e.message + (e.status === undefined ? " Tell the scrutineers, and show them the code." : ""));
      step("ask");
      $("wrong").focus();
    }
  }
  form.addEventListener("submit", (e) => {
    e.preventDefault();
    find($("code").value);
  });
  const fragment = () => {
    if (location.hash.length < 2) return;
    $("code").value = location.hash.slice(1);
    find($("code").value);
  };
  window.addEventListener("hashchange", fragment);
  fragment();
  if (given.code) find(given.code); // the page was asked without the script's help
}
