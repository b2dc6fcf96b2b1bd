// Asks the server: one operation by POST, and an answer with its status and how long it took.

export const endpoint = () => location.pathname;

/**
 * @param {{document: string, variables?: object, operationName?: string}} operation
 * @param {string} token of whom one asks as; empty for a stranger
 * @returns {Promise<{status: number, milliseconds: number, bytes: number, body: any}>}
 * @throws {Unreachable} when there is no answer at all
 */
export async function ask({ document, variables = {}, operationName }, token, signal) {
  const begun = performance.now();
  const headers = { "content-type": "application/json", accept: "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const asked = JSON.stringify({ query: document, variables, operationName });
  try {
    const answer = await fetch(endpoint(), { method: "POST", headers, body: asked, signal });
    const text = await answer.text();
    const milliseconds = performance.now() - begun;
    return { status: answer.status, milliseconds, bytes: text.length, body: JSON.parse(text) };
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable();
  }
}

/** The data of an answer that must have some. Throws what the server says instead. */
export async function data(document, variables, token, signal) {
  const { body } = await ask({ document, variables }, token, signal);
  if (!body.data) throw new Refused(body.errors ?? []);
  return body.data;
}

export class Unreachable extends Error {
  constructor() {
    super("The server does not answer. Is it still running?");
  }
}

export class Refused extends Error {
  constructor(errors) {
    super(errors.map((error) => error.message).join(" ") || "The server refused, and did not say why.");
    this.code = errors[0]?.extensions?.code;
  }
}

/** A file that lies beside this module. */
export async function file(name) {
  const answer = await fetch(new URL(name, import.meta.url));
  if (!answer.ok) throw new Unreachable();
  return answer;
}
