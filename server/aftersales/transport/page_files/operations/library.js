// The operations that come with the server, by what they are about.

import { file } from "../asking.js";
import { read } from "../language/reader.js";

// Mutations by how their names begin; the first that fits.
const GROUPS = [
  ["RefundOnly", "Refund only"],
  ["ReturnRefund", "Return and refund"],
  ["Exchange", "Exchange"],
  ["Reshipment", "Reshipment"],
  ["Request", "Any request"],
  ["Return", "Goods coming back"],
  ["Outbound", "Goods going out"],
  ["Offer", "Offers"],
  ["Dispute", "Disputes"],
  ["Appeal", "Appeals"],
  ["Evidence", "Evidence"],
  ["ShopRule", "The shop itself"],
  ["SellerRefund", "The shop itself"],
  ["OrdersImport", "From outside"],
  ["CarrierReport", "From outside"],
  ["PrivacyErase", "The platform itself"],
];
const ORDER = ["Reading", "Live", ...new Set(GROUPS.map(([, group]) => group)), "More"];

export async function library() {
  const found = await (await file("operations.json")).json();
  return Object.entries(found).map(([name, text]) => ({ name, text, ...described(name, text) }));
}

/** What the page must know of an operation: `kind`, root `field`, `about`, `group`. */
export function described(name, text) {
  const [operation] = read(text).operations;
  const { kind } = operation;
  const about = /^#\s*(.*)$/m.exec(text)?.[1] ?? "";
  return { kind, field: operation.selection.items[0]?.name.text, about, group: groupOf(name, kind) };
}

function groupOf(name, kind) {
  if (kind === "query") return "Reading";
  if (kind === "subscription") return "Live";
  return GROUPS.find(([beginning]) => name.startsWith(beginning))?.[1] ?? "More";
}

/**
 * Those that this server can run and that contain the words, by group and in order.
 *
 * @returns {[string, object[]][]}
 */
export function grouped(operations, schema, words = "") {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = ({ name, about, field, kind }) => {
    const text = `${name} ${about} ${field}`.toLowerCase();
    return (!schema || schema.root(kind)?.fields.has(field)) && wanted.every((word) => text.includes(word));
  };
  const there = operations.filter(fits);
  return ORDER.map((group) => [group, there.filter((one) => one.group === group)]).filter(([, some]) => some.length);
}

/** One for a mutation that no file has: what it answers at least, and all that is wrong. */
export function made(field, schema) {
  const mutation = schema.root("mutation").fields.get(field);
  const input = mutation.args.get("input").type;
  const name = field[0].toUpperCase() + field.slice(1);
  return `mutation ${name}($input: ${input.ofType.name}!) {
  ${field}(input: $input) {
    __typename
    problems { code message path retryable }
  }
}
`;
}
