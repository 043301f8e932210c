// Makes ranking quicker: giving a place that is taken swaps the two, so that
// no place is ever given twice. Without this script the paper works the same;
// the server says which place was given twice.
"use strict";
(() => {
  const form = document.getElementById("paper");
  if (!form || form.dataset.kind !== "rank") return;
  const boxes = [...form.querySelectorAll("select")];
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
})();
