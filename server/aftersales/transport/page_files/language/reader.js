// Reads a document as far as it goes: what is being typed is seldom whole, and must be understood all the same.

import { telling, tokens } from "./lexer.js";

const KINDS = ["query", "mutation", "subscription"];
const CLOSING = { "{": "}", "(": ")", "[": "]" };

/**
 * @returns {{operations: object[], fragments: object[], faults: {start: number, end: number, message: string}[]}}
 *   an operation has `kind`, `name`, `variables`, `selection`; a selection has `start`, `end`, `items`; an item is a
 *   field, a spread or an inline fragment. Positions are those in the text.
 */
export function read(text) {
  return new Reader(text).document();
}

class Reader {
  constructor(text) {
    this.tokens = telling(tokens(text));
    this.length = text.length;
    this.at = 0;
    this.faults = [];
  }

  document() {
    const found = { operations: [], fragments: [], faults: this.faults };
    while (this.token) {
      if (this.is("{") || KINDS.includes(this.token.text)) found.operations.push(this.operation());
      else if (this.is("fragment")) found.fragments.push(this.fragment());
      else this.complain(this.next(), "Expected query, mutation, subscription or fragment.");
    }
    return found;
  }

  operation() {
    const { start } = this.token;
    const kind = this.is("{") ? "query" : this.next().text;
    const name = this.token?.kind === "name" ? this.next() : null;
    const variables = this.is("(") ? this.enclosed(() => this.variable()) : { items: [] };
    const directives = this.directives();
    const selection = this.selection();
    return { kind, name, variables, directives, selection, start, end: this.before };
  }

  fragment() {
    const { start } = this.next();
    const name = this.name("the fragment's name");
    const type = this.take("on") ? this.name("a type") : null;
    const directives = this.directives();
    return { name, type, directives, selection: this.selection(), start, end: this.before };
  }

  variable() {
    if (this.token.kind !== "variable") return this.complain(this.next(), "Expected a variable, such as $id.");
    const name = this.next();
    const colon = this.expect(":");
    const type = this.type();
    const value = this.take("=") ? this.value() : null;
    return { name, colon, type, value };
  }

  type() {
    const { start } = this.token ?? { start: this.length };
    let written = "";
    let name = null;
    while (this.token && ("[]!".includes(this.token.text) || (this.token.kind === "name" && !name))) {
      if (this.token.kind === "name") name = this.token;
      written += this.next().text;
    }
    return { name, written, start, end: this.before };
  }

  selection() {
    if (!this.is("{")) {
      this.complain(this.token ?? this.last, "Expected { and fields.");
      return { start: this.before, end: this.before, items: [] };
    }
    const set = this.enclosed(() => this.item());
    if (set.closed && !set.items.length) this.complain(this.last, "Nothing is asked for here.");
    return set;
  }

  item() {
    if (this.is("...")) return this.spread();
    if (this.token.kind !== "name") return this.complain(this.next(), "Expected a field.");
    let name = this.next();
    const alias = this.is(":") ? name : null;
    if (this.take(":")) name = this.name("a field");
    const args = this.is("(") ? this.enclosed(() => this.argument()) : null;
    const directives = this.directives();
    const selection = this.is("{") ? this.selection() : null;
    return { what: "field", alias, name, args, directives, selection };
  }

  spread() {
    const dots = this.next();
    if (this.take("on")) {
      const type = this.name("a type");
      return { what: "inline", dots, type, directives: this.directives(), selection: this.selection() };
    }
    if (this.token?.kind === "name") return { what: "spread", dots, name: this.next(), directives: this.directives() };
    return { what: "inline", dots, type: null, directives: this.directives(), selection: this.selection() };
  }

  argument() {
    if (this.token.kind !== "name") return this.complain(this.next(), "Expected the name of an argument.");
    const name = this.next();
    const colon = this.expect(":");
    return { name, colon, value: colon ? this.value() : null, end: this.token?.start ?? this.length };
  }

  value() {
    if (this.is("{")) return { what: "object", ...this.enclosed(() => this.argument()) };
    if (this.is("[")) return { what: "list", ...this.enclosed(() => this.value()) };
    if (!this.token || [")", "}", "]"].includes(this.token.text)) {
      this.complain(this.token ?? this.last, "Expected a value.");
      return null;
    }
    const token = this.next();
    return { what: token.kind, text: token.text, start: token.start, end: token.end };
  }

  directives() {
    const found = [];
    while (this.token?.kind === "directive") {
      found.push({ name: this.next(), args: this.is("(") ? this.enclosed(() => this.argument()) : null });
    }
    return found;
  }

  /** Everything up to the bracket that closes the one that stands here. */
  enclosed(one) {
    const open = this.next();
    const close = CLOSING[open.text];
    const items = [];
    while (this.token && !this.is(close)) {
      if (Object.values(CLOSING).includes(this.token.text)) break; // another's: this one was never closed
      const item = one();
      if (item) items.push(item);
    }
    const closed = Boolean(this.take(close));
    if (!closed) this.complain(open, `This ${open.text} is never closed.`);
    return { items, start: open.end, end: closed ? this.last.start : (this.token?.start ?? this.length), closed };
  }

  get token() {
    return this.tokens[this.at];
  }

  get last() {
    return this.tokens[this.at - 1] ?? { start: 0, end: 0 };
  }

  get before() {
    return this.last.end;
  }

  is(text) {
    return this.token?.text === text && this.token.kind !== "string";
  }

  next() {
    return this.tokens[this.at++];
  }

  take(text) {
    return this.is(text) ? this.next() : null;
  }

  expect(text) {
    return this.take(text) ?? this.complain(this.token ?? this.last, `Expected ${text} here.`);
  }

  name(what) {
    return this.token?.kind === "name" ? this.next() : this.complain(this.token ?? this.last, `Expected ${what}.`);
  }

  complain({ start, end }, message) {
    this.faults.push({ start, end: Math.max(end, start + 1), message });
    return null;
  }
}
