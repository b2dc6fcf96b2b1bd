// Finds in the schema: names before words of descriptions, types before fields.

const MOST_FIELDS = 60;
const TITLES = {
  OBJECT: "Types",
  INTERFACE: "Interfaces",
  UNION: "Unions",
  INPUT_OBJECT: "Inputs",
  ENUM: "Enums",
  SCALAR: "Scalars",
};

/**
 * @returns {[string, {type: object, field?: object}[]][]} titled groups; without words, all types
 */
export function found(schema, words) {
  const types = [...schema.types.values()].filter((type) => !type.name.startsWith("__"));
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  if (!wanted.length) return byKind(types, schema);
  const hits = types.filter((type) => fits(type, wanted)).map((type) => ({ type }));
  const fields = types.flatMap((type) => parts(type).filter((field) => fits(field, wanted)).map((field) => ({ type, field })));
  const named = ({ type, field }) => nearness((field ?? type).name.toLowerCase(), wanted[0]);
  const nearest = fields.sort((one, other) => named(one) - named(other));
  const groups = [
    ["Types", hits.sort((one, other) => named(one) - named(other))],
    [nearest.length > MOST_FIELDS ? `Fields, the first ${MOST_FIELDS} of ${nearest.length}` : "Fields", nearest.slice(0, MOST_FIELDS)],
  ];
  return groups.filter(([, some]) => some.length);
}

function nearness(name, word) {
  if (name === word) return 0;
  if (name.startsWith(word)) return 1;
  return name.includes(word) ? 2 : 3;
}

const parts = (type) => [...type.fields.values(), ...type.inputs.values(), ...type.values];

function fits({ name, description, deprecationReason }, wanted) {
  const text = `${name} ${description ?? ""} ${deprecationReason ?? ""}`.toLowerCase();
  return wanted.every((word) => text.includes(word));
}

function byKind(types, { roots }) {
  const entrances = Object.values(roots);
  const groups = new Map([["Entrances", []], ...Object.values(TITLES).map((title) => [title, []])]);
  for (const type of types) {
    groups.get(entrances.includes(type.name) ? "Entrances" : TITLES[type.kind]).push({ type });
  }
  return [...groups].filter(([, some]) => some.length).map(([title, some]) => [title, some.sort(alphabetically)]);
}

const alphabetically = ({ type }, { type: other }) => type.name.localeCompare(other.name);
