// Holds a document that was read against the schema: what is wrong with it, and what may stand where.

import { innermost, isList, isRequired, nullable, written } from "./schema.js";

/**
 * @returns {{faults: object[], places: object[]}} a place is `{start, end, what, ...}`: within it, completion offers
 *   `fields` of a type, `arguments` or `inputs` of a map, a `value` of a type, `types` to narrow to, `inputTypes`
 */
export function check(document, schema) {
  return new Checker(document, schema).whole();
}

class Checker {
  constructor(document, schema) {
    this.document = document;
    this.schema = schema;
    this.faults = [...document.faults];
    this.places = [];
    this.fragments = new Map(document.fragments.filter((one) => one.name).map((one) => [one.name.text, one]));
  }

  whole() {
    for (const operation of this.document.operations) this.operation(operation);
    for (const fragment of this.document.fragments) this.fragment(fragment);
    return { faults: this.faults.sort((one, other) => one.start - other.start), places: this.places };
  }

  operation({ kind, variables, directives, selection, start, end }) {
    this.variables = new Map();
    this.used = new Set();
    this.spreads = false;
    this.scope = { start, end, variables: this.variables };
    for (const variable of variables.items) this.variable(variable);
    this.directives(directives);
    const root = this.schema.root(kind);
    if (root) this.selection(selection, root);
    else this.fault({ start, end: start + kind.length }, `There is no ${kind} here.`);
    if (this.spreads) return; // a fragment may use what seems unused
    for (const [name, token] of this.variables) {
      if (!this.used.has(name)) this.fault(token.name, `${name} is never used.`);
    }
  }

  fragment({ name, type, selection, start, end }) {
    this.variables = null; // who spreads it knows them
    const anybodys = this.document.operations.flatMap((operation) => operation.variables.items);
    this.scope = { start, end, variables: new Map(anybodys.map((one) => [one.name.text, one])) };
    const on = type && this.narrowed(type);
    if (on) this.selection(selection, on);
    if (name && !this.document.faults.length && !this.spreadAnywhere(name.text)) this.fault(name, `${name.text} is never spread.`);
  }

  spreadAnywhere(name) {
    const within = (set) => set?.items.some((item) => (item.what === "spread" && item.name.text === name) || within(item.selection));
    return [...this.document.operations, ...this.document.fragments].some((one) => within(one.selection));
  }

  variable(variable) {
    const { name, colon, type, value } = variable;
    if (this.variables.has(name.text)) this.fault(name, `${name.text} is there twice.`);
    this.variables.set(name.text, variable);
    if (colon) this.place(colon.end, type.end, "inputTypes");
    if (!type.name) return;
    const found = this.schema.type(type.name.text);
    if (!found) this.fault(type.name, `There is no type ${type.name.text}.`);
    else if (found.composite) this.fault(type.name, `${type.name.text} cannot be given, only asked for.`);
    else if (value && colon) this.value(value, reference(type));
  }

  selection(set, type) {
    this.place(set.start, set.end, "fields", { type });
    for (const item of set.items) this[item.what](item, type);
  }

  field(item, type) {
    this.directives(item.directives);
    const field = item.name && this.schema.field(type, item.name.text);
    if (!item.name) return;
    if (!field) return this.fault(item.name, `${type.name} has no field ${item.name.text}.`);
    this.arguments(item.args, field.args, item.name);
    const inner = this.schema.type(innermost(field.type));
    if (inner.composite && !item.selection) this.fault(item.name, `${item.name.text} is a ${inner.name}: say which of its fields.`);
    if (!inner.composite && item.selection) this.fault(item.name, `${item.name.text} is a ${inner.name}, and has no fields.`);
    if (inner.composite && item.selection) this.selection(item.selection, inner);
  }

  inline({ dots, type, directives, selection }, parent) {
    this.directives(directives);
    this.place(dots.end, selection.start - 1, "types", { type: parent });
    const on = type ? this.narrowed(type) : parent;
    if (on) this.selection(selection, on);
  }

  spread({ name, directives }) {
    this.directives(directives);
    this.spreads = true;
    if (!this.fragments.has(name.text)) this.fault(name, `There is no fragment ${name.text} in this document.`);
  }

  directives(list) {
    for (const { name, args } of list) {
      const known = this.schema.directives.get(name.text.slice(1));
      if (known) this.arguments(args, known.args, name);
      else this.fault(name, `There is no directive ${name.text}.`);
    }
  }

  arguments(given, known, owner) {
    if (given) this.place(given.start, given.end, "arguments", { known, given });
    this.pairs(given?.items ?? [], known, owner, "argument");
  }

  /** Arguments of a field and fields of an input are the same: names with values. */
  pairs(items, known, owner, what) {
    for (const { name, colon, value, end } of items) {
      const one = known.get(name.text);
      if (!one) this.fault(name, `There is no ${what} ${name.text} here.`);
      else if (colon) {
        this.place(colon.end, end, "value", { type: one.type });
        if (value) this.value(value, one.type);
      }
    }
    const there = new Set(items.map((one) => one.name.text));
    const missing = [...known.values()].filter((one) => isRequired(one) && !there.has(one.name));
    if (missing.length) this.fault(owner, `${missing.map((one) => `${one.name}: ${written(one.type)}`).join(", ")} must be given.`);
  }

  value(value, type) {
    const inner = this.schema.type(innermost(type));
    if (value.what === "variable") return this.use(value);
    if (value.what === "list") {
      const of = isList(type) ? nullable(type).ofType : type;
      return value.items.forEach((item) => this.value(item, of));
    }
    if (value.what === "object") {
      if (inner.kind !== "INPUT_OBJECT") return undefined;
      this.place(value.start, value.end, "inputs", { known: inner.inputs, given: value });
      return this.pairs(value.items, inner.inputs, { start: value.start - 1, end: value.start }, "field");
    }
    return this.simple(value, inner);
  }

  simple(value, type) {
    if (value.text === "null") return;
    const fits = {
      ENUM: () => value.what === "name" && type.values.some((one) => one.name === value.text),
      INPUT_OBJECT: () => false,
      SCALAR: () => literal(type.name, value),
    }[type.kind];
    if (fits && !fits()) this.fault(value, `${value.text} is no ${type.name}.`);
  }

  use(value) {
    this.used?.add(value.text);
    if (this.variables && !this.variables.has(value.text)) this.fault(value, `${value.text} is not among the operation's variables.`);
  }

  narrowed(token) {
    const type = this.schema.type(token.text);
    if (!type) return this.fault(token, `There is no type ${token.text}.`);
    return type.composite ? type : this.fault(token, `${token.text} has no fields.`);
  }

  place(start, end, what, more = {}) {
    this.places.push({ start, end, what, scope: this.scope, ...more });
  }

  fault({ start, end }, message) {
    this.faults.push({ start, end, message });
    return null;
  }
}

const LITERALS = { Int: ["number"], Float: ["number"], String: ["string"], Boolean: ["name"], ID: ["string", "number"] };

function literal(scalar, value) {
  if (scalar === "Boolean") return ["true", "false"].includes(value.text);
  return LITERALS[scalar]?.includes(value.what) ?? true; // of another's scalars only the server knows
}

/** A type as written in a document, as introspection would tell it. */
function reference({ name, written: text }) {
  const leaf = { kind: "NAMED", name: name.text, ofType: null };
  return text.includes("[") ? { kind: "LIST", ofType: leaf } : leaf;
}
