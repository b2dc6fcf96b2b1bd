// Lays a document out: two spaces, one field a line; a set that was laid out on one line stays there if it fits.

import { tokens } from "./lexer.js";
import { read } from "./reader.js";

const WIDTH = 130;

/** @returns {string} the same document; unchanged if it cannot be read to its end */
export function prettify(text) {
  if (read(text).faults.length) return text;
  const lines = new Layout(text).lines();
  return `${lines.join("\n").replace(/\n{3,}/g, "\n\n").trim()}\n`;
}

class Layout {
  constructor(text) {
    this.text = text;
    this.all = tokens(text);
    this.out = [];
    this.line = "";
    this.open = []; // the brackets we are in: `set` of fields, `flat` for one on one line, `list` for all others
  }

  lines() {
    this.all.forEach((token, at) => this.put(token, at));
    this.wrap();
    return this.out;
  }

  get within() {
    return this.open.at(-1);
  }

  /** How many sets around here have lines of their own. */
  get depth() {
    return this.open.filter((one) => one === "set").length;
  }

  put(token, at) {
    if (token.kind === "blank") {
      if (/\n\s*\n/.test(token.text) && (!this.open.length || this.within === "set")) this.gap();
    } else if (token.kind === "comment") this.comment(token, at);
    else if (token.text === "{" && this.within !== "list") this.set(at);
    else if (token.text === "}" && this.within === "set") this.close();
    else this.inline(token, at);
  }

  set(at) {
    const flat = this.within === "flat" || this.fitsOnLine(at);
    this.line += `${this.line && !this.line.endsWith(" ") ? " " : ""}{`;
    if (!flat) this.wrap();
    this.open.push(flat ? "flat" : "set");
  }

  /** Whether the set that begins there was laid out on one line, and still may be. */
  fitsOnLine(at) {
    if (!this.line) return false; // the operation itself
    if (this.all[at + 1]?.kind !== "blank") return false; // pressed together, not laid out
    let depth = 0;
    for (const token of this.all.slice(at)) {
      if (token.text.includes("\n") || token.kind === "comment") return false;
      if (token.text === "{") depth += 1;
      if (token.text === "}") depth -= 1;
      if (depth) continue;
      const length = this.text.slice(this.all[at].start, token.end).replace(/[\s,]+/g, " ").length;
      return this.depth > 0 && this.depth * 2 + this.line.length + length <= WIDTH;
    }
    return false;
  }

  close() {
    this.wrap();
    this.open.pop();
    this.line = "}";
    this.wrap();
    if (!this.depth) this.gap();
  }

  inline(token, at) {
    if (this.within === "set" && this.startsField(token, at)) this.wrap();
    const closes = [")", "]", "}"].includes(token.text);
    const flat = closes && this.within === "flat";
    if (closes) this.open.pop();
    this.line += `${flat ? " " : this.space(token)}${token.text}`;
    if (["(", "[", "{"].includes(token.text)) this.open.push("list");
  }

  startsField(token, at) {
    if (token.kind !== "name" && token.text !== "...") return false;
    const before = this.all.slice(0, at).findLast((one) => one.kind !== "blank" && one.kind !== "comment");
    return !(before.text === ":" || before.text === "..." || (before.text === "on" && this.line.endsWith("... on")));
  }

  space({ text }) {
    const last = this.line.at(-1);
    if (!this.line || "([".includes(last) || (this.line.endsWith("...") && text !== "on")) return "";
    if ([")", "]", ":", "!", "("].includes(text)) return "";
    return this.within === "list" && this.separates(text) ? ", " : " ";
  }

  /** Within brackets a value or a type has just ended, and this begins the next. */
  separates(text) {
    return !/[:({[=]$/.test(this.line) && !["=", "}", "|"].includes(text) && !text.startsWith("@");
  }

  comment(token, at) {
    if (!this.line || this.all[at - 1]?.text.includes("\n")) this.wrap();
    this.line += `${this.line ? "  " : ""}${token.text.trimEnd()}`;
    this.wrap();
  }

  wrap() {
    if (this.line.trim()) this.out.push("  ".repeat(this.depth) + this.line.trim());
    this.line = "";
  }

  gap() {
    this.wrap();
    if (this.out.length && this.out.at(-1) !== "" && !this.out.at(-1).endsWith("{")) this.out.push("");
  }
}
