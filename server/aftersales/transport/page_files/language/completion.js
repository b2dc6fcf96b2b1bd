// What may be written where the cursor stands.

import { check } from "./checker.js";
import { read } from "./reader.js";
import { innermost, written } from "./schema.js";

const MOST = 60;
const BEGINNINGS = ["query", "mutation", "subscription", "fragment"];

/**
 * @returns {{start: number, offers: {text: string, type: string, description: string, deprecated: boolean}[]}}
 *   what is offered replaces the text from `start` to the cursor
 */
export function completions(text, cursor, schema) {
  const prefix = /[$@]?\w*$/.exec(text.slice(0, cursor))[0];
  const start = cursor - prefix.length;
  const offers = offered(text, start, schema).filter(({ text: word }) => fits(word, prefix));
  return { start, offers: offers.sort(nearest(prefix)).slice(0, MOST) };
}

function offered(text, start, schema) {
  const document = read(text);
  const { places } = check(document, schema);
  const before = text.slice(0, start).trimEnd();
  if (within(text, start)) return [];
  const place = places.filter((one) => one.start <= start && start <= one.end).sort(innermostFirst)[0];
  if (!place) return BEGINNINGS.map((word) => offer(word, "", ""));
  if (place.type?.composite && before.endsWith("...")) return spreads(document, place.type, schema);
  if (/\.\.\.\s*on$/.test(before) && place.type?.composite) return narrower(place.type, schema);
  return BY_PLACE[place.what](place, schema);
}

const BY_PLACE = {
  fields: ({ type }) => [...type.fields.values(), TYPENAME].map(asOffer),
  arguments: ({ known, given }) => pairs(known, given),
  inputs: ({ known, given }) => pairs(known, given),
  value: ({ type, scope }, schema) => values(type, scope, schema),
  types: ({ type }, schema) => narrower(type, schema),
  inputTypes: (place, schema) => [...schema.types.values()].filter((type) => !type.composite && !type.name.startsWith("__")).map(typeOffer),
};

function pairs(known, given) {
  const there = new Set(given.items.map((one) => one.colon && one.name.text));
  return [...known.values()].filter((one) => !there.has(one.name)).map((one) => ({ ...asOffer(one), insert: `${one.name}: ` }));
}

function values(reference, { variables }, schema) {
  const type = schema.type(innermost(reference));
  const constants = type.name === "Boolean" ? [offer("true"), offer("false")] : type.values.map(asOffer);
  return [...constants, ...[...variables.entries()].map(([name, { type: of }]) => offer(name, of.written))];
}

function spreads(document, type, schema) {
  const fragments = document.fragments.filter((one) => one.name && one.type).map((one) => offer(one.name.text, one.type.text, "A fragment of this document."));
  return [offer("on", "", "Only for one type."), ...fragments, ...narrower(type, schema).map((one) => ({ ...one, insert: `on ${one.text}` }))];
}

const narrower = (type, schema) => schema.narrower(type).map((name) => typeOffer(schema.type(name)));

const typeOffer = (type) => offer(type.name, type.kind.toLowerCase().replace("_", " "), type.description);

const TYPENAME = { name: "__typename", type: { kind: "SCALAR", name: "String!" }, description: "The name of the type." };

function asOffer({ name, type, description, isDeprecated }) {
  return { ...offer(name, type ? written(type) : "", description), deprecated: Boolean(isDeprecated) };
}

const offer = (text, type = "", description = "") => ({ text, type, description: description ?? "", insert: text, deprecated: false });

const innermostFirst = (one, other) => one.end - one.start - (other.end - other.start);

/** Letters in their order are enough: `avac` finds `availableActions`. */
function fits(word, prefix) {
  let at = 0;
  const wanted = prefix.toLowerCase();
  for (const letter of word.toLowerCase()) if (letter === wanted[at]) at += 1;
  return at === wanted.length;
}

/** What begins like that comes first, the shorter before the longer; without a prefix, the order of the schema. */
function nearest(prefix) {
  if (!prefix) return () => 0;
  return ({ text: one }, { text: other }) => rank(one, prefix) - rank(other, prefix) || one.length - other.length;
}

function rank(word, prefix) {
  if (word.startsWith(prefix)) return 0;
  if (word.toLowerCase().startsWith(prefix.toLowerCase())) return 1;
  return word.toLowerCase().includes(prefix.toLowerCase()) ? 2 : 3;
}

/** In a comment or a text nothing is offered. */
function within(text, at) {
  const line = text.slice(text.lastIndexOf("\n", at - 1) + 1, at);
  return line.includes("#") || (line.match(/(?<!\\)"/g) ?? []).length % 2 === 1;
}
