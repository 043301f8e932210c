// What a voter put on a paper, as one whole number, and that number as elements
// of the group (docs/sealed-format.md, "What a paper says").

import { concat, number } from "./bytes.js";
import { decode } from "./group.js";

const DIGIT = 240n;

function pascal(n) {
  const c = [];
  for (let i = 0; i <= n; i++) {
    c.push(Array.from({ length: i + 1 }, (_, k) => (k === 0 || k === i ? 1n : c[i - 1][k - 1] + c[i - 1][k])));
  }
  return c;
}

const choose = (c, n, k) => (k < 0 || k > n ? 0n : c[n][k]);

// place is that of a set (ascending) among the sets of its size out of 0 … n-1,
// in lexicographic order.
function place(c, n, set) {
  let out = 0n;
  let from = 0;
  set.forEach((x, i) => {
    for (let y = from; y < x; y++) out += choose(c, n - y - 1, set.length - i - 1);
    from = x + 1;
  });
  return out;
}

const wrong = (what) => new Error("this is no valid paper: " + what);

function ranked(paper) {
  const order = [];
  paper.forEach((rank, option) => {
    if (!rank) return;
    if (!Number.isInteger(rank) || rank < 1 || rank > paper.length) throw wrong("a rank is out of place");
    if (order[rank - 1] !== undefined) throw wrong("two options have the same rank");
    order[rank - 1] = option;
  });
  for (let i = 0; i < order.length; i++) if (order[i] === undefined) throw wrong("a rank is left out");
  return order;
}

const numbers = {
  ranks(form, paper) {
    const m = BigInt(form.options);
    const order = ranked(paper);
    const most = form.most || form.options;
    if (order.length > most) throw wrong("it has more preferences than are allowed");
    let n = 0n;
    let term = 1n;
    for (let k = 0; k < order.length; k++) {
      n += term;
      term *= m - BigInt(k);
    }
    const left = Array.from({ length: form.options }, (_, i) => i);
    let code = 0n;
    order.forEach((option, k) => {
      const at = left.indexOf(option);
      left.splice(at, 1);
      code = code * (m - BigInt(k)) + BigInt(at);
    });
    return n + code;
  },

  equal(form, paper) {
    const c = pascal(form.options);
    const w = [];
    for (let m = 0; m <= form.options; m++) {
      let x = 1n;
      for (let k = 1; k <= m; k++) x += c[m][k] * w[m - k];
      w.push(x);
    }
    const number = (left, rank) => {
      const set = [];
      left.forEach((option, i) => {
        if (paper[option] === rank) set.push(i);
      });
      if (!set.length) {
        if (left.some((option) => paper[option])) throw wrong("a rank is left out");
        return 0n;
      }
      const m = left.length;
      const k = set.length;
      let n = 1n;
      for (let j = 1; j < k; j++) n += c[m][j] * w[m - j];
      const rest = left.filter((_, i) => !set.includes(i));
      return n + place(c, m, set) * w[m - k] + number(rest, rank + 1);
    };
    return number(Array.from({ length: form.options }, (_, i) => i), 1);
  },

  marks(form, paper) {
    const c = pascal(form.options);
    const set = [];
    paper.forEach((v, i) => {
      if (v !== 0 && v !== 1) throw wrong("an option has something else than a mark");
      if (v) set.push(i);
    });
    if (set.length > (form.most || form.options)) throw wrong("it has more marks than are allowed");
    let n = 0n;
    for (let k = 0; k < set.length; k++) n += c[form.options][k];
    return n + place(c, form.options, set);
  },

  points(form, paper) {
    return paper.reduce((n, v) => {
      if (!Number.isInteger(v) || v < 0 || v > form.top + 1) throw wrong("an option has points that cannot be given");
      return n * BigInt(form.top + 2) + BigInt(v);
    }, 0n);
  },
};

// count is how many papers there are of a form.
export function count(form) {
  const n = form.options;
  switch (form.kind) {
    case "ranks": {
      let sum = 0n;
      let term = 1n;
      for (let k = 0; k <= (form.most || n); k++) {
        sum += term;
        term *= BigInt(n - k);
      }
      return sum;
    }
    case "equal": {
      const c = pascal(n);
      const w = [];
      for (let m = 0; m <= n; m++) {
        let x = 1n;
        for (let k = 1; k <= m; k++) x += c[m][k] * w[m - k];
        w.push(x);
      }
      return w[n];
    }
    case "marks": {
      const c = pascal(n);
      let sum = 0n;
      for (let k = 0; k <= (form.most || n); k++) sum += c[n][k];
      return sum;
    }
  }
  return BigInt(form.top + 2) ** BigInt(n);
}

// width is how many elements a paper of a form takes.
export function width(form) {
  const bits = BigInt((count(form) - 1n).toString(2).length);
  return Math.max(1, Number((bits + DIGIT - 1n) / DIGIT));
}

export function numberOf(form, paper) {
  if (paper.length !== form.options) throw wrong("it has another number of options");
  return numbers[form.kind](form, paper);
}

// setOf is the set of k out of n at a place, in lexicographic order.
function setOf(c, n, k, at) {
  const out = [];
  for (let x = 0; x < n && k; x++) {
    const with_ = choose(c, n - x - 1, k - 1);
    if (at < with_) {
      out.push(x);
      k--;
    } else {
      at -= with_;
    }
  }
  return out;
}

const papers = {
  ranks(form, n) {
    let k = 0;
    let term = 1n;
    while (n >= term) {
      n -= term;
      term *= BigInt(form.options - k);
      k++;
    }
    const digits = [];
    for (let i = k - 1; i >= 0; i--) {
      digits.unshift(Number(n % BigInt(form.options - i)));
      n /= BigInt(form.options - i);
    }
    const left = Array.from({ length: form.options }, (_, i) => i);
    const out = new Array(form.options).fill(0);
    digits.forEach((d, i) => {
      out[left.splice(d, 1)[0]] = i + 1;
    });
    return out;
  },

  equal(form, n) {
    const c = pascal(form.options);
    const w = [];
    for (let m = 0; m <= form.options; m++) {
      let x = 1n;
      for (let k = 1; k <= m; k++) x += c[m][k] * w[m - k];
      w.push(x);
    }
    const out = new Array(form.options).fill(0);
    let left = out.map((_, i) => i);
    for (let rank = 1; n > 0n; rank++) {
      const m = left.length;
      let k = 1;
      for (n -= 1n; n >= c[m][k] * w[m - k]; k++) n -= c[m][k] * w[m - k];
      const set = setOf(c, m, k, n / w[m - k]).map((i) => left[i]);
      for (const i of set) out[i] = rank;
      left = left.filter((i) => !set.includes(i));
      n %= w[m - k];
    }
    return out;
  },

  marks(form, n) {
    const c = pascal(form.options);
    let k = 0;
    for (; n >= c[form.options][k]; k++) n -= c[form.options][k];
    const out = new Array(form.options).fill(0);
    for (const i of setOf(c, form.options, k, n)) out[i] = 1;
    return out;
  },

  points(form, n) {
    const base = BigInt(form.top + 2);
    return Array.from({ length: form.options }, (_, i) => Number((n / base ** BigInt(form.options - 1 - i)) % base));
  },
};

// paperOf reads a number back; null where no paper has it.
export function paperOf(form, n) {
  return n >= 0n && n < count(form) ? papers[form.kind](form, n) : null;
}

// embed writes a number as elements, 32 bytes each.
export function embed(form, n) {
  const size = Number(DIGIT / 8n);
  const w = width(form);
  const digits = number(n, w * size);
  const out = [];
  for (let i = 0; i < w; i++) out.push(element(digits.subarray(i * size, (i + 1) * size)));
  return concat(...out);
}

function element(digit) {
  const e = new Uint8Array(32);
  e.set(digit, 1);
  for (let counter = 0; counter < 128 * 128; counter++) {
    e[0] = (counter % 128) * 2;
    e[31] = counter >> 7;
    if (decode(e)) return e;
  }
  throw new Error("this paper cannot be written as an element");
}
