// Words for what the server says in capitals.

const PARTIES = {
  BUYER: "the buyer",
  SELLER: "the seller",
  PLATFORM: "the platform",
  CARRIER: "the carrier",
  PARTNER: "a partner",
  SYSTEM: "time",
};

let own = null;

/** Whoever looks is told `you`. */
export function iAm(party) {
  own = party;
}

export const party = (name) => (name === own ? "you" : (PARTIES[name] ?? name.toLowerCase()));

/** `AWAITING_BUYER_SHIP` or `RequestApproved` as words. */
export function words(name) {
  const spaced = name.includes("_") || name === name.toUpperCase() ? name.replaceAll("_", " ") : name.replace(/(?!^)[A-Z]/g, " $&");
  const lower = spaced.toLowerCase();
  return lower[0].toUpperCase() + lower.slice(1);
}
