// Variables that do something true: ids, versions and reasons out of what the person sees at this moment.

import { now } from "../clock.js";
import { innermost } from "../language/schema.js";
import { read } from "../language/reader.js";
import { newKey, variablesFor } from "./filling.js";
import { Seen } from "./seen.js";
import { claimOf, SPECIAL } from "./special_samples.js";

/**
 * @param {{name: string, text: string, field: string, kind: string}} operation
 * @param {object} given
 * @param {[string, string][]} given.orders what may be claimed, as the server says: ids of orders and of a line of each
 * @param {string[]} given.evidence ids of files that the person has shown on this page
 * @returns {Promise<{variables: object, hint: string}>} `hint` says what to expect, where that is not plain
 */
export async function sample(operation, { schema, token, orders, evidence = [] }) {
  const [{ variables }] = read(operation.text).operations;
  const fill = (known) => variablesFor(variables.items, schema, { ...plainly(), ...known });
  if (!token) return { variables: fill({}), hint: "Choose who you are, and the ids are filled in." };
  try {
    const seen = await Seen.by(token);
    const { hint = "", ...known } = await knownFor(operation, { schema, orders, evidence, seen, field: operation.field });
    return { variables: fill(known), hint };
  } catch (error) {
    return { variables: fill({}), hint: `Nothing is filled in: ${error.message}` };
  }
}

function knownFor(operation, facts) {
  if (SPECIAL[operation.name]) return SPECIAL[operation.name](facts);
  if (operation.kind !== "mutation") return about(facts.seen.requests[0]);
  const inputs = inputsOf(operation, facts.schema);
  if (inputs?.has("orderId")) return claimOf(operation.name, facts);
  return inputs?.has("appealId") ? actOnAppeal(facts) : actOn(facts);
}

function inputsOf({ field }, schema) {
  const input = schema.root("mutation").fields.get(field)?.args.get("input");
  return input && schema.type(innermost(input.type)).inputs;
}

const UNKNOWN = "Nothing you see allows this now: expect a refusal that says why.";

/** What any act needs: the record that allows it now, and what the act itself asks. */
async function actOn({ seen, field, evidence }) {
  const found = await seen.find((request) => {
    const all = [request, ...request.disputes].flatMap((one) => one.availableActions);
    const action = all.find((one) => one.mutation === field);
    return action && { ...about(request), ...part(request, field), ...again(request, field, evidence), ...asked(action, evidence) };
  });
  return found ?? { ...about(seen.requests[0]), hint: UNKNOWN };
}

/** Half of it, where all of it would be another act. */
function part({ money: { maximum } }, field) {
  return field === "offerMake" ? { amount: { ...maximum, amount: String(Math.floor(maximum.amount / 2)) } } : {};
}

/** Whoever asks anew shows anew what the reason wants. */
function again({ reason }, field, evidence) {
  return reason.evidenceRequired && ["requestEdit", "requestResubmit"].includes(field) ? show(evidence) : {};
}

function actOnAppeal({ seen: { appeals }, field, evidence }) {
  for (const { id, version, availableActions } of appeals) {
    const action = availableActions.find((one) => one.mutation === field);
    if (action) return { appealId: id, expectedVersion: version, ...asked(action, evidence) };
  }
  const [any] = appeals;
  return { ...(any ? { appealId: any.id, expectedVersion: any.version } : {}), hint: UNKNOWN };
}

// Reasons that an act knows without telling them among its actions.
const REASONS = { outboundRefundInstead: "out_of_stock" };

// Acts that are nothing without something shown, whatever the reason.
const SHOWS = ["appealAddEvidence"];

/** The reason that asks for least, and what must be shown with it. */
export function asked({ reasons, mutation }, evidence = []) {
  const reason = leastAsking(reasons) ?? { handle: REASONS[mutation] };
  const shown = reason.evidenceRequired || SHOWS.includes(mutation) ? show(evidence) : {};
  return { ...(reason.handle ? { reason: reason.handle } : {}), ...shown };
}

export const leastAsking = (reasons) => reasons.find((one) => !one.evidenceRequired) ?? reasons[0];

/** The latest file that was shown; a file is named once. */
export function show(evidence) {
  if (evidence.length) return { evidenceIds: evidence.slice(-1) };
  return { hint: "Something must be shown with it. Run EvidenceLink first: what it answers is named here then." };
}

/** A request, under all the names that inputs have for it. */
export function about(request) {
  if (!request) return { hint: "You see no request yet." };
  const { id, version, order, lines, reason } = request;
  return {
    id,
    by: { id },
    requestId: id,
    expectedVersion: version,
    orderId: order.id,
    lines: lines.map((line) => ({ orderLineId: line.orderLine.id, quantity: line.quantity })),
    reason: reason.handle,
  };
}

const plainly = () => ({
  idempotencyKey: newKey(),
  quantity: 1,
  carrier: "JNE",
  tracking: `JNE${Math.floor(Math.random() * 1e10)}`,
  note: "Tried on the page.",
  statement: "What came back is not what was sent.",
  pickupAt: new Date(now() + 86_400_000).toISOString(),
});
