// Colours for what is written: spans with a class for each kind of token, and a wavy line where something is wrong.

import { h } from "../dom.js";
import { tokens } from "./lexer.js";

const KEYWORDS = new Set(["query", "mutation", "subscription", "fragment", "on", "true", "false", "null"]);
const JSON_TOKEN = /(?<key>"(?:\\.|[^"\\\n])*"(?=\s*:))|(?<string>"(?:\\.|[^"\\\n])*"?)|(?<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(?<keyword>true|false|null)|(?<mark>[[\]{}:,])|(?<blank>\s+)|(?<wrong>[^])/gu;

export function graphqlTokens(text) {
  const all = tokens(text);
  return all.map((token, at) => ({ ...token, kind: refined(token, all, at) }));
}

export function jsonTokens(text) {
  return Array.from(text.matchAll(JSON_TOKEN), (match) => {
    const [kind] = Object.entries(match.groups).find(([, found]) => found !== undefined);
    return { kind, text: match[0], start: match.index, end: match.index + match[0].length };
  });
}

function refined({ kind, text }, all, at) {
  if (kind !== "name") return kind;
  if (KEYWORDS.has(text)) return "keyword";
  if (/^[A-Z]/.test(text)) return "type";
  const after = all.slice(at + 1).find((token) => token.kind !== "blank");
  return after?.text === ":" ? "key" : "field";
}

/** @returns {Node[]} the text again, in colours; what lies in a fault is marked */
export function coloured(all, faults = []) {
  return all.map(({ kind, text, start, end }) => {
    const wrong = faults.some((fault) => fault.start < end && fault.end > start);
    if (kind === "blank" && !wrong) return text;
    return h(`span.t-${kind}${wrong ? ".faulty" : ""}`, {}, text);
  });
}
