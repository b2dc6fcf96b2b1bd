// Runs the server audit of graphql-http against a URL. Prints one JSON line: how many there were, and all but the good.
import { serverAudits } from "graphql-http";

const audits = serverAudits({ url: process.argv[2], fetchFn: fetch });
const others = [];
for (const audit of audits) {
  const { status, id, name, reason } = await audit.fn();
  if (status !== "ok") others.push({ status, id, name, reason });
}
console.log(JSON.stringify({ count: audits.length, others }));
