// Fills an input from what is known: what must be given always, what may be only where something is known for it.

import { innermost, isList, isRequired } from "../language/schema.js";

// Of a thing that nobody has told anything about.
const PLAIN = {
  Int: () => 1,
  Float: () => 1,
  Boolean: () => false,
  String: () => "",
  ID: () => "",
  Decimal: () => "1000",
  Cursor: () => "",
  URL: () => "https://files.example/photo.jpg",
  JSON: () => ({}),
  DateTime: () => new Date(Date.now() + 86_400_000).toISOString(),
};

export const newKey = () => `try-${crypto.randomUUID?.() ?? Math.random().toString(36).slice(2)}`;

/**
 * @param {object[]} variables of an operation that was read
 * @param {Record<string, unknown>} known values by the name of the variable, argument or field they are for
 */
export function variablesFor(variables, schema, known) {
  const filled = {};
  for (const { name, type, value } of variables) {
    const key = name.text.slice(1);
    if (known[key] !== undefined) filled[key] = known[key];
    else if (type.written.endsWith("!") && !value) filled[key] = bare(key, type, schema, known);
  }
  return filled;
}

function bare(key, { name, written }, schema, known) {
  const value = valueFor(key, schema.type(name.text), schema, known);
  return written.startsWith("[") ? [value] : value;
}

/** An input object with what must be in it. */
export function inputFor(type, schema, known) {
  const fields = [...type.inputs.values()];
  if (type.isOneOf) return oneOf(fields, known);
  const wanted = fields.filter((field) => isRequired(field) || known[field.name] !== undefined);
  return Object.fromEntries(wanted.map((field) => [field.name, fieldFor(field, schema, known)]));
}

function fieldFor(field, schema, known) {
  if (known[field.name] !== undefined) return known[field.name];
  const value = valueFor(field.name, schema.type(innermost(field.type)), schema, known);
  return isList(field.type) ? [value] : value;
}

function valueFor(key, type, schema, known) {
  if (type.kind === "INPUT_OBJECT") return inputFor(type, schema, known);
  if (type.kind === "ENUM") return type.values[0].name;
  return (PLAIN[type.name] ?? PLAIN.String)();
}

function oneOf(fields, known) {
  const { name } = fields.find((field) => known[field.name] !== undefined) ?? fields[0];
  return { [name]: known[name] ?? "" };
}

/** Whether such a mutation asks for no more than the record and its version. */
export function needsOnlyAYes(field, schema) {
  const input = schema.root("mutation").fields.get(field)?.args.get("input");
  if (!input) return false;
  const asked = [...schema.type(innermost(input.type)).inputs.values()].filter(isRequired);
  return asked.every(({ name }) => ["idempotencyKey", "requestId", "appealId", "expectedVersion"].includes(name));
}
