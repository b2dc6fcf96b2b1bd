// One subscription over one WebSocket, by the protocol graphql-transport-ws.

import { endpoint } from "./asking.js";

/**
 * @param {{document: string, variables?: object, token?: string}} operation
 * @param {object} on
 * @param {(result: object) => void} on.item each result
 * @param {(errors: object[]) => void} on.refused the operation will never run like this
 * @param {(why: string) => void} on.lost the line is gone, or was closed by the server
 * @param {() => void} on.ended nothing more will come
 * @returns {() => void} leaves it
 */
export function subscribe({ document, variables, token }, on) {
  const socket = new WebSocket(address(), "graphql-transport-ws");
  let over = false;
  const tell = (message) => socket.send(JSON.stringify(message));
  const finish = (say) => {
    if (over) return;
    over = true;
    // one that is closed before it is open is complained about by the browser, though nothing is wrong
    if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close(1000);
    else socket.close(1000);
    say();
  };
  const hear = {
    connection_ack: () => tell({ id: "1", type: "subscribe", payload: { query: document, variables } }),
    next: ({ payload }) => on.item(payload),
    error: ({ payload }) => finish(() => on.refused(payload)),
    complete: () => finish(on.ended),
    ping: () => tell({ type: "pong" }),
  };
  socket.onopen = () => tell({ type: "connection_init", payload: token ? { authorization: `Bearer ${token}` } : {} });
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (!over) hear[message.type]?.(message);
  };
  socket.onclose = ({ code, reason }) => {
    // 4400 to 4499 tell that we are wrong: asking again like this would not help
    if (code >= 4400 && code < 4500) finish(() => on.refused([{ message: reason || `closed with ${code}` }]));
    else finish(() => on.lost(reason || "The connection was lost."));
  };
  return () => finish(() => undefined);
}

function address() {
  const url = new URL(endpoint(), location.href);
  url.protocol = url.protocol.replace("http", "ws");
  return url.href;
}
