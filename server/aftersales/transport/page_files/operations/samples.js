// Variables that do something true: ids, versions and reasons out of what the person sees at this moment.

import { data } from "../asking.js";
import { now } from "../clock.js";
import { read } from "../language/reader.js";
import { newKey, variablesFor } from "./filling.js";
import { claimOf, SPECIAL } from "./special_samples.js";

const SEEN = `query Seen {
  me { party shops { id market } }
  requests(first: 100) {
    nodes {
      id number version
      kind { handle }
      reason { handle }
      order { id lines { id skuId productName quantity } total { currency } }
      lines { quantity orderLine { id } }
      shipments { leg status carrier trackingNumber }
      availableActions { ...Action }
      disputes { availableActions { handle mutation } }
      appeal { id version availableActions { ...Action } }
    }
  }
}
fragment Action on AvailableAction {
  handle mutation maximumAmount { amount currency } reasons { handle evidenceRequired }
}`;

/**
 * @param {{name: string, text: string, field: string, kind: string}} operation
 * @param {[string, string][]} orders what may be claimed, as the server says: ids of orders and of a line of each
 * @returns {Promise<{variables: object, hint: string}>} `hint` says what to expect, where that is not plain
 */
export async function sample(operation, { schema, token, orders }) {
  const [{ variables }] = read(operation.text).operations;
  const seen = token ? await data(SEEN, {}, token).catch(() => null) : null;
  if (!seen) {
    const hint = token ? "You may not read requests, so that the ids are yours to fill in." : "Choose who you are, and the ids are filled in.";
    return { variables: variablesFor(variables.items, schema, plainly()), hint };
  }
  const facts = { schema, token, orders, seen, requests: seen.requests.nodes, field: operation.field };
  const { hint = "", ...known } = await knownFor(operation, facts);
  return { variables: variablesFor(variables.items, schema, { ...plainly(), ...known }), hint };
}

async function knownFor(operation, facts) {
  if (SPECIAL[operation.name]) return SPECIAL[operation.name](facts);
  if (operation.name.endsWith("Open") && operation.kind === "mutation") {
    const opened = await claimOf(operation.name, facts);
    if (opened) return opened;
  }
  return operation.kind === "mutation" ? actOn(facts) : about(facts.requests[0]);
}

/** What any act needs: the record that allows it now, and what the act itself asks. */
function actOn({ requests, field }) {
  for (const request of requests) {
    const { appeal } = request;
    const own = [...request.availableActions, ...request.disputes.flatMap((one) => one.availableActions)];
    const action = own.find((one) => one.mutation === field);
    if (action) return { ...about(request), ...asked(action) };
    const appealed = appeal?.availableActions.find((one) => one.mutation === field);
    if (appealed) return { ...about(request), ...asked(appealed), appealId: appeal.id, expectedVersion: appeal.version };
  }
  const hint = "None of the first hundred requests you see allows this now: expect a refusal that says why.";
  const appeal = requests.find((one) => one.appeal)?.appeal;
  const which = appeal ? { appealId: appeal.id } : {};
  return { ...about(requests[0]), ...which, hint };
}

/** The reason that asks for least, and a word to go with it. */
export function asked({ reasons = [], handle }) {
  const reason = reasons.find((one) => !one.evidenceRequired) ?? reasons[0];
  const hint = reason?.evidenceRequired ? "Every reason wants something shown: stage a file first, and name it in `evidenceIds`." : "";
  return { ...(reason ? { reason: reason.handle } : {}), action: handle, ...(hint ? { hint } : {}) };
}

/** A request, under all the names that inputs have for it. */
export function about(request) {
  if (!request) return { hint: "You see no request yet." };
  const { id, version, order, lines, reason } = request;
  return {
    id,
    by: { id },
    ids: [id],
    requestId: id,
    expectedVersion: version,
    orderId: order.id,
    orderLineId: order.lines[0].id,
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
