// Expressions of forms, as `gis/inspections/expressions.py` and `reckon.py` have them: the same words, the same answers.
// Parsed, never evaluated as code. One file of vectors holds both together.

const LONGEST = 4000;
const LONGEST_MATCHED = 1000;
const LEVELS = [["or"], ["and"], ["=", "!="], ["<", "<=", ">", ">="], ["+", "-"], ["*", "div", "mod"]];
const WORDS = new Set(["or", "and", "div", "mod"]);
const LETTER = "[\\p{L}\\p{Nl}_]";
const REST = "[\\p{L}\\p{N}\\p{M}_.\\-]*";
const TOKEN = new RegExp(`\\s*(?:(?<number>\\d+(?:\\.\\d*)?|\\.\\d+)|(?<string>"[^"]*"|'[^']*')|(?<ref>\\$\\{\\s*[^}]*\\})`
  + `|(?<op><=|>=|!=|[=<>+\\-*,()|\\[\\]])|(?<path>(?:\\.\\.?/|/)[\\p{L}\\p{N}_.\\-/@*]+|\\.\\.)|(?<self>\\.(?![\\p{L}\\p{N}_.]))`
  + `|(?<name>${LETTER}${REST}(?::${LETTER}${REST})?)|(?<bad>\\S))`, "gu");

/** This cannot be reckoned here: no expression, or one beyond this app. The desk told so when the form was brought. */
export class Wrong extends Error {}

function tokens(text) {
  if (text.length > LONGEST) throw new Wrong("too long");
  const found = [];
  for (const match of text.trimEnd().matchAll(TOKEN)) {
    const [kind, token] = Object.entries(match.groups).find(([, part]) => part !== undefined);
    if (kind === "bad") throw new Wrong(token);
    found.push([kind, token]);
  }
  return found;
}

const kept = new Map();

/** The expression as nested lists. */
export function parse(text) {
  if (!kept.has(text)) kept.set(text, parsed(text));
  return kept.get(text);
}

function parsed(text) {
  const list = tokens(text);
  let at = 0;
  const peek = () => list[at] ?? ["end", ""];
  const take = (wanted = null) => {
    const [kind, token] = peek();
    if (kind === "end" || (wanted !== null && token !== wanted)) throw new Wrong(token || "end");
    at += 1;
    return [kind, token];
  };
  const next = (n) => (n + 1 < LEVELS.length ? level(n + 1) : unary());
  function level(n) {
    let left = next(n);
    while (LEVELS[n].includes(peek()[1]) && ["op", "name"].includes(peek()[0])) left = ["op", take()[1], left, next(n)];
    return left;
  }
  function unary() {
    let sign = 0;
    while (peek()[0] === "op" && peek()[1] === "-") { take(); sign += 1; }
    let made = primary();
    for (; sign; sign -= 1) made = ["neg", made];
    return made;
  }
  function primary() {
    const [kind, token] = take();
    if (kind === "number") return ["num", Number(token)];
    if (kind === "string") return ["str", token.slice(1, -1)];
    if (kind === "self") return ["self"];
    if (kind === "ref") return ["ref", token.slice(2, -1).trim()];
    if (kind === "path") return ["ref", token.slice(token.lastIndexOf("/") + 1)];
    if (token === "(") {
      const made = level(0);
      take(")");
      return made;
    }
    if (kind !== "name") throw new Wrong(token);
    if (peek()[1] !== "(" || peek()[0] !== "op") return ["name", token];
    take("(");
    const args = [];
    while (peek()[0] !== "op" || peek()[1] !== ")") {
      if (args.length) take(",");
      args.push(level(0));
    }
    take(")");
    if (!(token in VERBS) && !SPECIAL.has(token)) throw new Wrong(`${token}()`);
    return ["call", token, args];
  }
  const made = level(0);
  if (peek()[0] !== "end") throw new Wrong(peek()[1]);
  return made;
}

/** The items that an expression speaks of. */
export function names(node) {
  if (node[0] === "ref") return [node[1]];
  return node.slice(1).filter(Array.isArray).flatMap((part) => (Array.isArray(part[0]) || !part.length ? part.flatMap(names) : names(part)));
}

/** A date, or a moment by the wall clock: days since 1970-01-01, and as it was written. */
class Day {
  constructor(days, text) { Object.assign(this, { days, text }); }
}

const trimmed = (text) => text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
const DAY = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?$/;

function dayOf(text) {
  const match = DAY.exec(trimmed(text));
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0));
  const at = new Date(Date.UTC(year, month - 1, day));
  if (year < 100) at.setUTCFullYear(year);
  if (year < 1 || at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day || hour > 23 || minute > 59 || second > 59) return null;
  return new Day(at.getTime() / 86_400_000 + (hour * 3600 + minute * 60 + second) / 86_400, trimmed(text));
}

/**
 * What an expression comes to. `ground` is `{values, dates, now, own, ownIsDate, columns}`: answers as texts, the names of the
 * items that are dates, the moment by the wall clock, the item's own answer, and the columns of a choice.
 */
export function value(text, ground) {
  return reckon(parse(text), ground);
}

/** Is it so? */
export const holds = (text, ground) => boolean(value(text, ground));

/** As true or false. */
export function boolean(v) {
  if (typeof v === "boolean") return v;
  if (typeof v === "number") return !(v === 0 || Number.isNaN(v));
  return v instanceof Day || v !== "";
}

const NUMBER = /^[ \t\r\n]*(-?(?:\d+(?:\.\d*)?|\.\d+))[ \t\r\n]*$/;

/** As a number. */
export function number(v) {
  if (typeof v === "boolean") return v ? 1 : 0;
  if (typeof v === "number") return v;
  if (v instanceof Day) return v.days;
  const match = NUMBER.exec(v);
  return match ? Number(match[1]) : NaN;
}

/** As a text. */
export function string(v) {
  if (typeof v === "boolean") return v ? "true" : "false";
  if (v instanceof Day) return v.text;
  return typeof v === "number" ? written(v) : v;
}

function written(v) {
  if (Number.isInteger(v)) return Object.is(v, -0) ? "0" : BigInt(v).toString();
  const text = String(v);
  const match = /^(-?)(\d)(?:\.(\d+))?e-(\d+)$/.exec(text);
  return match ? `${match[1]}0.${"0".repeat(Number(match[4]) - 1)}${match[2]}${match[3] ?? ""}` : text;
}

function reckon(node, g) {
  const [kind, first] = node;
  if (kind === "num" || kind === "str") return first;
  if (kind === "ref") {
    const text = g.values[first] ?? "";
    return g.dates?.has(first) ? dayOf(text) ?? text : text;
  }
  if (kind === "self") return g.ownIsDate ? dayOf(g.own ?? "") ?? g.own ?? "" : g.own ?? "";
  if (kind === "name") return g.columns?.[first] ?? "";
  if (kind === "neg") return -number(reckon(first, g));
  if (kind === "op") return operated(first, node[2], node[3], g);
  return called(first, node[2], g);
}

function operated(op, left, right, g) {
  if (op === "or") return boolean(reckon(left, g)) || boolean(reckon(right, g));
  if (op === "and") return boolean(reckon(left, g)) && boolean(reckon(right, g));
  const [a, b] = [reckon(left, g), reckon(right, g)];
  if (op === "=" || op === "!=") return same(a, b) === (op === "=");
  if (op in COMPARED) return COMPARED[op](...bothDays(a, b).map(number));
  return ARITHMETIC[op](number(a), number(b));
}

function bothDays(a, b) {
  if (a instanceof Day && typeof b === "string") return [a, dayOf(b) ?? b];
  if (b instanceof Day && typeof a === "string") return [dayOf(a) ?? a, b];
  return [a, b];
}

function same(left, right) {
  const [a, b] = bothDays(left, right);
  if (typeof a === "boolean" || typeof b === "boolean") return boolean(a) === boolean(b);
  if (typeof a === "number" || typeof b === "number" || (a instanceof Day && b instanceof Day)) return number(a) === number(b);
  return string(a) === string(b);
}

const COMPARED = { "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b };
const ARITHMETIC = { "+": (a, b) => a + b, "-": (a, b) => a - b, "*": (a, b) => a * b, div: (a, b) => a / b, mod: (a, b) => a % b };
const SPECIAL = new Set(["if", "today", "now", "once"]);

function called(name, args, g) {
  if (name === "if") return reckon(boolean(reckon(args[0], g)) ? args[1] : args[2], g);
  if (name === "today") return dayOf((g.now ?? "").slice(0, 10)) ?? "";
  if (name === "now") return dayOf(g.now ?? "") ?? "";
  const own = reckon(["self"], g);
  if (name === "once") return string(own) ? own : reckon(args[0], g);
  return VERBS[name](...(args.length ? args.map((a) => reckon(a, g)) : [own]));
}

function rounded(v, places = 0) {
  const [n, p] = [number(v), number(places)];
  if (Number.isNaN(p)) return NaN;
  if (!Number.isFinite(n)) return n;
  const scale = 10 ** Math.max(-15, Math.min(15, Math.trunc(p)));
  return Math.floor(n * scale + 0.5) / scale;
}

function part(v, start, length) {
  const first = rounded(start);
  const end = length === undefined ? Infinity : first + rounded(length);
  return [...string(v)].filter((_, i) => first <= i + 1 && i + 1 < end).join("");
}

function cut(v, start, end) {
  const letters = [...string(v)];
  let first = number(start);
  let last = end === undefined ? Infinity : number(end);
  if (Number.isNaN(first) || Number.isNaN(last)) return "";
  if (first < 0) first = Math.max(0, first + letters.length);
  last = last < 0 ? last + letters.length : Math.min(last, letters.length);
  return letters.slice(Math.trunc(Math.min(first, letters.length)), Math.trunc(Math.max(0, last))).join("");
}

function extreme(pick, given) {
  const found = given.filter((v) => string(v) !== "").map(number);
  return found.length && !found.some(Number.isNaN) ? pick(...found) : NaN;
}

const chosen = (v) => string(v).split(/[ \t\r\n]+/).filter(Boolean);

function matched(v, pattern) {
  const text = string(v);
  return text.length <= LONGEST_MATCHED && new RegExp(`^(?:${string(pattern)})$`).test(text);
}

function asDay(v) {
  if (typeof v === "number") {
    if (Number.isNaN(v) || !(v > -700_000 && v < 2_900_000)) return "";
    return dayOf(new Date(Math.floor(v) * 86_400_000).toISOString().slice(0, 10)) ?? "";
  }
  return v instanceof Day ? v : dayOf(string(v)) ?? "";
}

function told(v, how) {
  const found = asDay(v);
  if (!(found instanceof Day)) return "";
  const on = new Date(Math.floor(found.days) * 86_400_000);
  const clock = Math.round((found.days - Math.floor(found.days)) * 86_400);
  const two = (n) => String(n).padStart(2, "0");
  const [y, m, d] = [on.getUTCFullYear(), on.getUTCMonth() + 1, on.getUTCDate()];
  const parts = { Y: String(y).padStart(4, "0"), y: two(y % 100), m: two(m), n: String(m), d: two(d), e: String(d), H: two(Math.floor(clock / 3600)),
    h: String(Math.floor(clock / 3600)), M: two(Math.floor(clock / 60) % 60), S: two(clock % 60), "%": "%" };
  return string(how).replace(/%(.)/gs, (whole, letter) => parts[letter] ?? whole);
}

function translated(v, old, fresh) {
  const [before, after, table] = [[...string(old)], [...string(fresh)], new Map()];
  before.forEach((c, i) => { if (!table.has(c)) table.set(c, after[i] ?? ""); });
  return [...string(v)].map((c) => table.get(c) ?? c).join("");
}

function before(a, b) {
  const at = string(b) ? string(a).indexOf(string(b)) : -1;
  return at < 0 ? "" : string(a).slice(0, at);
}

function after(a, b) {
  if (!string(b)) return string(a);
  const at = string(a).indexOf(string(b));
  return at < 0 ? "" : string(a).slice(at + string(b).length);
}

const whole = (v) => (Number.isFinite(number(v)) ? Math.trunc(number(v)) : number(v));

function nth(v, at) {
  const [list, n] = [chosen(v), number(at)];
  return n >= 0 && n < list.length ? list[Math.trunc(n)] : "";
}

const VERBS = {
  string, boolean, number, not: (v) => !boolean(v), true: () => true, false: () => false, concat: (...p) => p.map(string).join(""),
  "starts-with": (a, b) => string(a).startsWith(string(b)), "ends-with": (a, b) => string(a).endsWith(string(b)),
  contains: (a, b) => string(a).includes(string(b)), "substring-before": before, "substring-after": after, substring: part, substr: cut,
  "string-length": (v) => [...string(v)].length, "normalize-space": (v) => trimmed(string(v)).replace(/[ \t\r\n]+/g, " "),
  translate: translated, floor: (v) => Math.floor(number(v)), ceiling: (v) => Math.ceil(number(v)), round: rounded, int: whole,
  abs: (v) => Math.abs(number(v)), pow: (a, b) => number(a) ** number(b), min: (...p) => extreme(Math.min, p), max: (...p) => extreme(Math.max, p),
  selected: (v, one) => chosen(v).includes(trimmed(string(one))), "count-selected": (v) => chosen(v).length, "selected-at": nth,
  coalesce: (a, b) => (string(a) ? a : b), regex: matched, date: asDay,
  "decimal-date-time": (v) => (asDay(v) instanceof Day ? number(asDay(v)) : NaN), "format-date": told,
};
