// Talks to a server with the client of graphql-ws, as a front end would. Prints one JSON line of what it saw.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const [url, token, expired] = process.argv.slice(2);
const saw = {};

const client = (options = {}) =>
  createClient({
    url,
    webSocketImpl: WebSocket,
    lazy: true,
    retryAttempts: 3,
    retryWait: async () => {},
    connectionParams: { authorization: `Bearer ${token}` },
    ...options,
  });

// Everything a subscription gives until `enough` says so, or the error it ends with.
const all = async (from, query, enough = () => false) => {
  const items = [];
  try {
    for await (const item of from.iterate({ query })) {
      items.push(item.data ?? item.errors.map((error) => error.extensions.code));
      if (enough(items)) break;
    }
  } catch (problem) {
    return { items, problem: Array.isArray(problem) ? problem[0].extensions.code : { code: problem.code, reason: problem.reason } };
  }
  return { items };
};

// One operation after another, then several on one socket with a bad one among them.
const one = client();
saw.query = await all(one, "{ me }");
saw.mutation = await all(one, "mutation { bump }");
saw.subscription = await all(one, "subscription { three }");
const neighbour = all(one, "subscription { endless(size: 1) }", (items) => items.length === 2_000);
saw.bad = await Promise.all([
  all(one, "{"),
  all(one, "{ nothing }"),
  all(one, "query A { hello }  query B { hello }"),
  all(one, "subscription { breaks }"),
  all(one, "{ fails }"),
]);
saw.neighbour = (await neighbour).items.length;

// Keeps itself alive by pings, and comes back when the line is cut.
let pongs = 0, connections = 0;
const lively = client({ keepAlive: 5, on: { pong: () => pongs++, connected: () => connections++ } });
saw.returned = await all(lively, "subscription { endless(size: 1) }", (items) => {
  if (items.length === 100 && connections === 1) lively.terminate();
  return pongs > 2 && connections > 1;
});
saw.returned = { items: saw.returned.items.length > 100, connections };
lively.dispose();

// Is turned away once and for all, or comes back with what it has then.
const closes = [];
const refused = client({ connectionParams: { authorization: "Bearer x" }, on: { closed: ({ code }) => closes.push(code) } });
saw.refused = { ...(await all(refused, "{ me }")), closes: [...closes] };
closes.length = 0;
let tokens = [expired, token];
const renewed = client({
  connectionParams: () => ({ authorization: `Bearer ${tokens.shift()}` }),
  on: { closed: ({ code }) => closes.push(code) },
});
saw.renewed = { ...(await all(renewed, "{ me }")), closes: [...closes] };
renewed.dispose();
one.dispose();

console.log(JSON.stringify(saw));
