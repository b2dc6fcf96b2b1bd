// What some operations need beyond ids: each says what it wants, by its name.

import { data } from "../asking.js";
import { now } from "../clock.js";
import { leastAsking, show } from "./samples.js";

const ELIGIBILITY = `query Eligibility($orderId: ID!, $kinds: [String!]) {
  eligibility(orderId: $orderId, kinds: $kinds) {
    kind { handle } orderLineId eligible reasons { handle evidenceRequired }
  }
}`;
const ORDER = `query Order($id: ID!) { order(id: $id) { lines { id skuId productName } } }`;
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
const shopOf = ({ seen }) => seen.me.shops[0]?.id ?? "";
const none = (what) => ({ hint: `You have no ${what}.` });

export const SPECIAL = {
  Board: ({ seen }) => ({ filter: { waitingFor: seen.me.party === "PARTNER" ? "SELLER" : seen.me.party } }),
  Counts: () => ({}),
  Me: () => ({}),
  Plugins: () => ({}),
  Appeals: () => ({}),
  Nodes: ({ seen }) => ({ ids: seen.requests.slice(0, 3).map((one) => one.id) }),
  OrderDetail: (facts) => ({ id: orderIds(facts)[0] ?? "" }),
  Eligibility: (facts) => ({ orderId: orderIds(facts)[0] ?? "" }),
  Policies: ({ seen }) => ({ market: seen.me.shops[0]?.market ?? "ID", kind: "refund_only" }),
  ActPreview: actPreview,
  OpenPreview: async (facts) => ({ kind: "refund_only", ...(await claimOf("RefundOnlyOpen", facts)) }),
  EvidenceStage: () => FILE,
  EvidenceLink: () => ({ ...FILE, url: "https://files.example/photo.jpg" }),
  EvidenceSubmit: ({ evidence }) => show(evidence),
  OrdersImport: ordersImport,
  CarrierReport: carrierReport,
  SellerRefundCreate: sellerRefund,
  PrivacyErase: ({ seen }) => ({ buyerId: seen.requests[0]?.buyer.id ?? "", hint: "It cannot be undone. Refused while anything of theirs is open." }),
  ShopRules: (facts) => ({ shopId: shopOf(facts) }),
  ShopRulePreview: (facts) => ({ shopId: shopOf(facts), conditions: { reasons: ["not_received"] } }),
  ShopRuleSave: (facts) => ({ shopId: shopOf(facts), name: "What never came", conditions: { reasons: ["not_received"] } }),
  ShopRuleRemove: ruleToRemove,
};

/** Those that nobody has claimed first, for who may claim; a seller may not see them. */
function orderIds({ seen, orders }) {
  const claims = ["BUYER", "PLATFORM"].includes(seen.me.party);
  return [...(claims ? orders.map(([id]) => id) : []), ...new Set(seen.requests.map((one) => one.order.id))];
}

/** The first order and line that may be claimed as this kind now, asked of the server itself. */
export async function claimOf(name, facts) {
  const handle = name.replace(/Open$/, "").replace(/(?!^)[A-Z]/g, "_$&").toLowerCase();
  for (const orderId of orderIds(facts).slice(0, ORDERS_LOOKED_AT)) {
    const asked = data(ELIGIBILITY, { orderId, kinds: [handle] }, facts.seen.token);
    const { eligibility } = await asked.catch(() => ({ eligibility: [] })); // not theirs to ask about
    const yes = eligibility.find((one) => one.eligible && one.reasons.length);
    if (yes) return claim(orderId, yes, facts, handle === "exchange");
  }
  return { ...none("order that may be claimed like this: expect a refusal that says why"), ...guess(facts.seen) };
}

async function claim(orderId, { orderLineId, reasons }, facts, exchange) {
  const reason = leastAsking(reasons);
  const shown = reason.evidenceRequired ? show(facts.evidence) : {};
  const known = { orderId, lines: [{ orderLineId, quantity: 1 }], reason: reason.handle, ...shown };
  return exchange ? { ...known, ...(await variation(orderId, orderLineId, facts)) } : known;
}

/** Another variation of the same product, among the orders one has seen. */
async function variation(orderId, orderLineId, { seen }) {
  const { order } = await data(ORDER, { id: orderId }, seen.token);
  const mine = order.lines.find((line) => line.id === orderLineId);
  const other = seen.requests.flatMap((one) => one.order.lines).find((line) => line.productName === mine.productName && line.skuId !== mine.skuId);
  const wanted = [{ orderLineId, skuId: (other ?? mine).skuId }];
  return other ? { wanted } : { wanted, hint: `Name the skuId of another variation than ${mine.skuId}.` };
}

const guess = ({ requests }) => (requests[0] ? { orderId: requests[0].order.id, reason: requests[0].reason.handle } : {});

async function actPreview({ seen }) {
  const found = await seen.find((request) => {
    const [action] = request.availableActions;
    if (!action) return null;
    const { handle, reasons } = action;
    return { requestId: request.id, action: handle, ...(reasons.length ? { reason: reasons[0].handle } : {}) };
  });
  return found ?? none("request that you may do anything with");
}

function ordersImport({ seen }) {
  const order = {
    number: `58${Math.floor(Math.random() * 1e11)}`,
    shopId: (shopOf({ seen }) || "sh_mawar").replace(/^sh_/, ""),
    buyer: { id: "dewi", name: "Dewi" },
    currency: seen.requests[0]?.order.total.currency ?? "IDR",
    state: "DELIVERED",
    placedAt: daysAgo(5),
    deliveredAt: daysAgo(1),
    lines: [{ skuId: "SKU-1", productName: "Silk scarf", quantity: 1, unitPaid: "129500" }],
  };
  return { shops: [], orders: [order] };
}

const NEXT = { BOOKED: "HANDED_OVER", EXPECTED: "HANDED_OVER", HANDED_OVER: "DELIVERED", IN_TRANSIT: "DELIVERED" };

async function carrierReport({ seen }) {
  const found = await seen.find((request) => {
    const parcel = request.shipments.find((one) => NEXT[one.status] && one.carrier && one.method !== "SELF_ARRANGED");
    if (!parcel) return null;
    const { trackingNumber, leg, carrier } = parcel;
    const which = trackingNumber ? { trackingNumber } : { requestId: request.id, leg };
    return { scans: [{ event: NEXT[parcel.status], carrier, ...which }] };
  });
  return found ?? none("parcel that a carrier could see next");
}

function sellerRefund({ seen: { requests } }) {
  if (!requests.length) return none("order");
  const { order } = requests.at(-1);
  const amount = { amount: "1", currency: order.total.currency };
  return { orderId: order.id, lines: [{ orderLineId: order.lines[0].id, amount }], reason: "goodwill" };
}

async function ruleToRemove(facts) {
  const shopId = shopOf(facts);
  const { shopRules } = await data(RULES, { shopId }, facts.seen.token).catch(() => ({ shopRules: [] })); // sellers only
  const [rule] = shopRules;
  return rule ? { shopId, ruleId: rule.id, expectedVersion: rule.version } : { shopId, ...none("rule yet: save one first") };
}
