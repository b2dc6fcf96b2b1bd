// What some operations need beyond ids: each says what it wants, by its name.

import { data } from "../asking.js";
import { now } from "../clock.js";

const ELIGIBILITY = `query Eligibility($orderId: ID!, $kinds: [String!]) {
  eligibility(orderId: $orderId, kinds: $kinds) {
    kind { handle } orderLineId eligible reasons { handle evidenceRequired }
  }
}`;
const RULES = `query Rules($shopId: ID!) { shopRules(shopId: $shopId) { id version } }`;
// Of the text "aftersales": a small file that may be announced, and then really uploaded.
const FILE = {
  kind: "PHOTO",
  mediaType: "image/jpeg",
  bytes: 10,
  sha256: "b9008ebc40601614ed7e9e001e70666cadb661e960c6340f2bb9529fe7945ecb",
};
const ORDERS_LOOKED_AT = 8;

const daysAgo = (days) => new Date(now() - days * 86_400_000).toISOString();
const shopOf = ({ seen }) => seen.me.shops[0]?.id;
const none = (what) => ({ hint: `You have no ${what}.` });

export const SPECIAL = {
  Board: ({ seen }) => ({ filter: { waitingFor: seen.me.party } }),
  Counts: () => ({}),
  Me: () => ({}),
  Plugins: () => ({}),
  RequestStream: () => ({}),
  Appeals: () => ({}),
  Node: ({ requests }) => ({ id: requests[0]?.id ?? "" }),
  Nodes: ({ requests }) => ({ ids: requests.slice(0, 3).map((one) => one.id) }),
  OrderDetail: ({ requests, orders }) => ({ id: orderIds({ requests, orders })[0] ?? "" }),
  Eligibility: ({ requests, orders }) => ({ orderId: orderIds({ requests, orders })[0] ?? "" }),
  Policies: ({ seen }) => ({ market: seen.me.shops[0]?.market ?? "ID", kind: "refund_only" }),
  ActPreview: ({ requests }) => actPreview(requests),
  OpenPreview: async (facts) => ({ kind: "refund_only", ...(await claimOf("RefundOnlyOpen", facts)) }),
  EvidenceStage: () => FILE,
  EvidenceLink: () => ({ ...FILE, url: "https://files.example/photo.jpg" }),
  EvidenceSubmit: () => ({ hint: "Stage a file and upload it first, then name it here." }),
  OrdersImport: ordersImport,
  CarrierReport: ({ requests }) => carrierReport(requests),
  SellerRefundCreate: ({ requests }) => sellerRefund(requests),
  ShopRules: (facts) => ({ shopId: shopOf(facts) }),
  ShopRulePreview: (facts) => ({ shopId: shopOf(facts), conditions: { reasons: ["not_received"] } }),
  ShopRuleSave: (facts) => ({ shopId: shopOf(facts), name: "What never came", conditions: { reasons: ["not_received"] } }),
  ShopRuleRemove: ruleToRemove,
};

function orderIds({ requests, orders }) {
  return [...orders.map(([id]) => id), ...new Set(requests.map((one) => one.order.id))];
}

/** The first order and line that may be claimed as this kind now, asked of the server itself. */
export async function claimOf(name, facts) {
  const handle = name.replace(/Open$/, "").replace(/(?!^)[A-Z]/g, "_$&").toLowerCase();
  for (const orderId of orderIds(facts).slice(0, ORDERS_LOOKED_AT)) {
    const { eligibility } = await data(ELIGIBILITY, { orderId, kinds: [handle] }, facts.token).catch(() => ({ eligibility: [] }));
    const yes = eligibility.find((one) => one.eligible && one.reasons.length);
    if (yes) return claim(orderId, yes, facts, handle === "exchange");
  }
  return { ...(none("order that may be claimed like this: expect a refusal that says why")), ...guess(facts) };
}

function claim(orderId, { orderLineId, reasons }, facts, exchange) {
  const reason = reasons.find((one) => !one.evidenceRequired) ?? reasons[0];
  const lines = [{ orderLineId, quantity: 1 }];
  const wanted = exchange ? { wanted: [{ orderLineId, skuId: otherVariation(orderLineId, facts) }] } : {};
  const shown = reason.evidenceRequired ? { hint: "This reason wants something shown: stage a file, and name it in `evidenceIds`." } : {};
  return { orderId, lines, reason: reason.handle, ...wanted, ...shown };
}

const guess = ({ requests }) => (requests[0] ? { orderId: requests[0].order.id, reason: requests[0].reason.handle } : {});

/** Another variation of the same product, among the orders one has seen. */
function otherVariation(orderLineId, { requests }) {
  const lines = requests.flatMap((one) => one.order.lines);
  const mine = lines.find((line) => line.id === orderLineId);
  const other = lines.find((line) => mine && line.productName === mine.productName && line.skuId !== mine.skuId);
  return (other ?? mine)?.skuId ?? "the skuId of another variation";
}

function actPreview(requests) {
  const request = requests.find((one) => one.availableActions.length);
  if (!request) return none("request that you may do anything with");
  const { handle, reasons } = request.availableActions[0];
  return { requestId: request.id, action: handle, ...(reasons.length ? { reason: reasons[0].handle } : {}) };
}

function ordersImport({ seen, requests }) {
  const shopId = (shopOf({ seen }) ?? "sh_mawar").replace(/^sh_/, "");
  const line = { skuId: "SKU-1", productName: "Silk scarf", quantity: 1, unitPaid: "129500" };
  const order = {
    number: `58${Math.floor(Math.random() * 1e11)}`,
    shopId,
    buyer: { id: "dewi", name: "Dewi" },
    currency: requests[0]?.order.total.currency ?? "IDR",
    state: "DELIVERED",
    placedAt: daysAgo(5),
    deliveredAt: daysAgo(1),
    lines: [line],
  };
  return { shops: [], orders: [order] };
}

function carrierReport(requests) {
  const next = { BOOKED: "HANDED_OVER", EXPECTED: "HANDED_OVER", HANDED_OVER: "DELIVERED", IN_TRANSIT: "DELIVERED" };
  for (const request of requests) {
    const parcel = request.shipments.find((one) => next[one.status]);
    if (!parcel) continue;
    const which = parcel.trackingNumber ? { trackingNumber: parcel.trackingNumber } : { requestId: request.id, leg: parcel.leg };
    return { scans: [{ event: next[parcel.status], carrier: parcel.carrier ?? "JNE", ...which }] };
  }
  return none("parcel that a carrier could see next");
}

function sellerRefund(requests) {
  if (!requests.length) return none("order");
  const { order } = requests.at(-1);
  const amount = { amount: "1000", currency: order.total.currency };
  return { orderId: order.id, lines: [{ orderLineId: order.lines[0].id, amount }], reason: "goodwill" };
}

async function ruleToRemove(facts) {
  const shopId = shopOf(facts);
  const { shopRules } = await data(RULES, { shopId }, facts.token).catch(() => ({ shopRules: [] }));
  const [rule] = shopRules;
  return rule ? { shopId, ruleId: rule.id, expectedVersion: rule.version } : { shopId, ...none("rule yet: save one first") };
}
