// The directives that stand in the SDL, which introspection does not tell: what a field costs, which plugin brought it.

import { telling, tokens } from "./lexer.js";

const HOLDERS = ["type", "input", "interface", "enum", "union", "scalar"];

/** @returns {Map<string, string[]>} directives as written, by `Type` or `Type.field` */
export function marks(sdl) {
  const found = new Map();
  const all = telling(tokens(sdl)).filter((token) => token.kind !== "string" || !token.text.startsWith('"""'));
  let [type, field, depth] = ["", "", 0];
  for (let at = 0; at < all.length; at++) {
    const { kind, text } = all[at];
    if (!depth && HOLDERS.includes(text)) [type, field] = [all[at + 1].text, ""];
    else if (text === "directive" && !depth) type = ""; // the directive itself, not its use
    else if ("([{".includes(text)) depth += 1;
    else if (")]}".includes(text)) depth -= 1;
    else if (kind === "name" && depth === 1 && type && isField(all, at)) field = text;
    if (!depth && text === "}") [type, field] = ["", ""];
    if (kind !== "directive" || !type || text === "@specifiedBy") continue;
    const name = field ? `${type}.${field}` : type;
    found.set(name, [...(found.get(name) ?? []), `${text}${written(all, at + 1)}`]);
  }
  return found;
}

/** A name before a colon or its arguments. What follows a colon is a type. */
const isField = (all, at) => [":", "("].includes(all[at + 1]?.text) && all[at - 1]?.text !== ":";

/** The arguments of a directive, from their bracket to its end. */
function written(all, at) {
  if (all[at]?.text !== "(") return "";
  const end = all.findIndex((token, place) => place > at && token.text === ")");
  return all.slice(at, end + 1).map(({ text }) => text).join(" ").replace(/\s*([():])/g, "$1").replace(/\(\s/g, "(").replace(/ (\w+:)/g, ", $1");
}
