// An answer to read: JSON in colours, whose objects and lists fold.

import { h } from "../dom.js";

const MOST = 100; // of one object or list at first

/** @returns {Node} */
export function tree(value, key = null, last = true) {
  if (value === null || typeof value !== "object") {
    return h("div.leaf", {}, label(key), scalar(value), last ? "" : ",");
  }
  const list = Array.isArray(value);
  const entries = Object.entries(value);
  const [open, close] = list ? "[]" : "{}";
  if (!entries.length) return h("div.leaf", {}, label(key), mark(open + close), last ? "" : ",");
  const count = `${entries.length} ${list ? (entries.length === 1 ? "item" : "items") : entries.length === 1 ? "field" : "fields"}`;
  return h(
    "details.branch",
    { open: true },
    h("summary", {}, label(key), mark(open), h("span.folded", {}, ` ${count} ${close}${last ? "" : ","}`)),
    children(entries, list),
    h("div.end", {}, mark(close), last ? "" : ","),
  );
}

function children(entries, list) {
  const held = h("div.children");
  const show = (from) => {
    const some = entries.slice(from, from + MOST);
    held.append(...some.map(([key, value], at) => tree(value, list ? null : key, from + at === entries.length - 1)));
    const left = entries.length - from - MOST;
    if (left <= 0) return;
    const more = h("button.more", { type: "button", on: { click: () => (more.remove(), show(from + MOST)) } }, `${left} more`);
    held.append(more);
  };
  show(0);
  return held;
}

const label = (key) => (key === null ? [] : [h("span.t-key", {}, `"${key}"`), ": "]);

const mark = (text) => h("span.t-mark", {}, text);

function scalar(value) {
  if (typeof value === "string") return h("span.t-string", {}, JSON.stringify(value));
  if (typeof value === "number") return h("span.t-number", {}, String(value));
  return h("span.t-keyword", {}, String(value));
}
