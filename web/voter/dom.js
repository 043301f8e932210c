// Small things that the pages share. Nothing here makes HTML of text.

export const $ = (id) => document.getElementById(id);

// step shows one part of the page and hides the others; whoever reads by ear is
// taken to its heading.
export function step(name) {
  for (const s of document.querySelectorAll("[data-step]")) s.hidden = s.dataset.step !== name;
  for (const s of document.querySelectorAll("[data-with]")) s.hidden = !s.dataset.with.split(" ").includes(name);
  const head = document.querySelector('[data-step="' + name + '"] [tabindex="-1"]');
  if (head) head.focus();
}

export function say(id, text) {
  const e = $(id);
  e.textContent = text;
  e.hidden = !text;
}

export function list(id, items) {
  $(id).replaceChildren(...items.map((x) => {
    const li = document.createElement("li");
    li.textContent = x;
    return li;
  }));
}

// put puts a picture in its place, or hides the place where there is none.
export function put(id, picture) {
  const e = $(id);
  e.replaceChildren(...(picture ? [picture] : []));
  e.hidden = !picture;
}

// grouped writes a whole code in groups of eight, which people can compare.
export const grouped = (hex) => hex.match(/.{1,8}/g).join(" ");

// says writes what a paper says, in words. names are what its options are
// called on the page.
export function says(contest, marks, names, blank) {
  if (!marks.some(Boolean)) return [blank];
  const chosen = marks.map((m, i) => ({ m, i })).filter((x) => x.m);
  if (contest.form === "ranks") chosen.sort((a, b) => a.m - b.m);
  return chosen.map((x) => names[x.i]);
}

// save lets the reader keep text as a file of their own.
export function save(name, text) {
  const a = document.createElement("a");
  a.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  a.download = name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(a.href), 10000);
}

// ask fetches without saying who asks: the post-box wants to know nobody.
export async function ask(path, body) {
  const r = await fetch(path, {
    method: body ? "POST" : "GET", body, cache: "no-store", credentials: "omit", redirect: "error", signal: AbortSignal.timeout(40000),
    headers: body ? { "Content-Type": "application/octet-stream" } : {},
  });
  const out = await r.json();
  if (r.ok) return out;
  const e = new Error((out.error && out.error.message) || "The server gave no answer that this page understands.");
  Object.assign(e, { status: r.status, reason: out.error && out.error.reason, kind: out.error && out.error.kind });
  throw e;
}
