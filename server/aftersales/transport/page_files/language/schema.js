// The schema as the server tells it by introspection, and what the page wants to know of it.

import { data } from "../asking.js";

const TYPE = "kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
const INPUT = `name description defaultValue type { ${TYPE} }`;
const INTROSPECTION = `query Introspection {
  __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types {
      kind name description isOneOf
      fields(includeDeprecated: true) {
        name description isDeprecated deprecationReason args { ${INPUT} } type { ${TYPE} }
      }
      inputFields { ${INPUT} }
      enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
      possibleTypes { name }
      interfaces { name }
    }
    directives { name description args { ${INPUT} } }
  }
}`;

export async function load(token) {
  const { __schema } = await data(INTROSPECTION, {}, token);
  return new Schema(__schema);
}

const TYPENAME = {
  name: "__typename",
  description: "The name of the object's type.",
  args: new Map(),
  type: { kind: "NON_NULL", ofType: { kind: "SCALAR", name: "String" } },
};

export class Schema {
  constructor({ types, directives, queryType, mutationType, subscriptionType }) {
    this.roots = { query: queryType?.name, mutation: mutationType?.name, subscription: subscriptionType?.name };
    this.types = new Map(types.map((type) => [type.name, digested(type)]));
    this.directives = new Map(directives.map((one) => [one.name, { ...one, args: named(one.args) }]));
  }

  type(name) {
    return this.types.get(name);
  }

  root(kind) {
    return this.types.get(this.roots[kind]);
  }

  /** A field of that type, or what every object answers. */
  field(type, name) {
    if (name === "__typename" && type.kind !== "SCALAR") return TYPENAME;
    return type.fields.get(name);
  }

  /** What may stand in a selection on this type: fields for all, types for `... on`. */
  narrower(type) {
    return type.possible.length ? type.possible : [type.name];
  }

  /** Which fields and arguments give or take it, as `[type, field]`. */
  *uses(name) {
    for (const type of this.types.values()) {
      if (type.name.startsWith("__")) continue;
      for (const field of [...type.fields.values(), ...type.inputs.values()]) {
        const taken = [...(field.args?.values() ?? [])];
        if ([field, ...taken].some((one) => innermost(one.type) === name)) yield [type, field];
      }
    }
  }
}

function digested(type) {
  const fields = (type.fields ?? []).map((field) => ({ ...field, args: named(field.args) }));
  return {
    ...type,
    fields: named(fields),
    inputs: named(type.inputFields ?? []),
    values: type.enumValues ?? [],
    possible: (type.possibleTypes ?? []).map((one) => one.name),
    interfaces: (type.interfaces ?? []).map((one) => one.name),
    composite: ["OBJECT", "INTERFACE", "UNION"].includes(type.kind),
  };
}

const named = (list) => new Map(list.map((one) => [one.name, one]));

/** `[Request!]!`, as one writes it. */
export function written(type) {
  if (type.kind === "NON_NULL") return `${written(type.ofType)}!`;
  if (type.kind === "LIST") return `[${written(type.ofType)}]`;
  return type.name;
}

/** `Request` of `[Request!]!`. */
export function innermost(type) {
  return type.ofType ? innermost(type.ofType) : type.name;
}

/** Without the mark that it is never null. */
export const nullable = (type) => (type.kind === "NON_NULL" ? type.ofType : type);

export const isList = (type) => nullable(type).kind === "LIST";

/** Whether it must be given. */
export const isRequired = ({ type, defaultValue }) => type.kind === "NON_NULL" && defaultValue === null;
