// What a key does to the text beyond writing itself: indents, pairs of brackets. Text in, edit out.

const PAIRS = { "{": "}", "(": ")", "[": "]", '"': '"' };
const INDENT = "  ";

/**
 * @param {{text: string, start: number, end: number}} at the text and what is selected
 * @returns {{text?: string, from?: number, to?: number, select: [number, number]} | null} what to put where, and what to
 *   select then; null where the key does what it always does
 */
export function afterKey(key, shift, at) {
  if (key === "Tab") return shift ? outdent(at) : indent(at);
  if (key === "Enter") return newLine(at);
  if (key === "Backspace") return erasePair(at);
  if (closes(key, at)) return { select: [at.start + 1, at.start + 1] };
  return PAIRS[key] ? pair(key, at) : null;
}

function indent({ text, start, end }) {
  if (!text.slice(start, end).includes("\n")) {
    return { text: INDENT, from: start, to: end, select: [start + 2, start + 2] };
  }
  return lines({ text, start, end }, (line) => INDENT + line);
}

const outdent = (at) => lines(at, (line) => line.replace(/^ {1,2}/, ""));

/** Changes every line that is touched, and selects them. */
function lines({ text, start, end }, change) {
  const from = text.lastIndexOf("\n", start - 1) + 1;
  const to = text.indexOf("\n", end) < 0 ? text.length : text.indexOf("\n", end);
  const before = text.slice(from, to);
  const after = before.split("\n").map(change).join("\n");
  if (after === before) return { select: [start, end] };
  if (start === end) {
    const cursor = Math.max(from, start + after.length - before.length);
    return { text: after, from, to, select: [cursor, cursor] };
  }
  return { text: after, from, to, select: [from, from + after.length] };
}

/** As deep as the line before; between brackets one deeper, with the closing one on a line of its own. */
function newLine({ text, start, end }) {
  const line = text.slice(text.lastIndexOf("\n", start - 1) + 1, start);
  const depth = /^ */.exec(line)[0];
  const opened = /[{([]\s*$/.test(line);
  const closed = opened && /^\s*[})\]]/.test(text.slice(end).split("\n")[0]);
  const inner = `\n${depth}${opened ? INDENT : ""}`;
  const cursor = start + inner.length;
  return { text: inner + (closed ? `\n${depth}` : ""), from: start, to: end, select: [cursor, cursor] };
}

function pair(key, { text, start, end }) {
  if (start !== end) {
    return { text: key + text.slice(start, end) + PAIRS[key], from: start, to: end, select: [start + 1, end + 1] };
  }
  const free = /^[\s)}\],]?$/.test(text.charAt(start));
  if (!free || (key === '"' && /[\w"]/.test(text.charAt(start - 1)))) return null;
  return { text: key + PAIRS[key], from: start, to: end, select: [start + 1, start + 1] };
}

function erasePair({ text, start, end }) {
  const between = start === end && start > 0 && PAIRS[text[start - 1]] === text[start];
  if (!between) return null;
  return { text: "", from: start - 1, to: start + 1, select: [start - 1, start - 1] };
}

/** Typing a bracket that stands there already goes past it. */
const closes = (key, { text, start, end }) => start === end && Object.values(PAIRS).includes(key) && text[start] === key;
