// Talks to a server with the client of graphql-sse, each operation over a connection of its own. Prints one JSON line.
import { createClient } from "graphql-sse";

const [url, token] = process.argv.slice(2);
const saw = {};
const client = createClient({ url, retryAttempts: 0, headers: () => ({ authorization: `Bearer ${token}` }) });

const all = async (query, enough = () => false) => {
  const items = [];
  try {
    for await (const item of client.iterate({ query })) {
      items.push(item.data ?? item.errors.map((error) => error.extensions.code));
      if (enough(items)) break;
    }
  } catch (problem) {
    return { items, problem: problem.response?.status ?? String(problem) };
  }
  return { items };
};

saw.query = await all("{ me }");
saw.mutation = await all("mutation { bump }");
saw.subscription = await all("subscription { three }");
saw.bad = await Promise.all([all("{"), all("{ nothing }"), all("subscription { breaks }"), all("{ fails }")]);
saw.left = (await all("subscription { endless(size: 1) }", (items) => items.length === 500)).items.length;

console.log(JSON.stringify(saw));
