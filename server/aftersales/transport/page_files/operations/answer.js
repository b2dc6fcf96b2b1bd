// The pane of the answer: what came, with its status, how long it took and what it cost.

import { button, fill, h } from "../dom.js";
import { tree } from "./response.js";

export class Answer {
  constructor() {
    this.facts = h("p.facts", { role: "status" });
    this.body = h("div.json", { tabindex: "0", role: "region", "aria-label": "Answer" });
    this.copy = button("Copy", () => this._copy(), { hidden: true });
    this.element = h("section.answer", { "aria-label": "Answer" }, h("div.bar", {}, this.facts, this.copy), this.body);
    this.empty();
  }

  empty() {
    this._shows(null);
    fill(this.facts, "No answer yet");
    fill(this.body, h("p.empty", {}, "Choose an operation and run it. What the server answers stands here."));
  }

  waiting() {
    this._shows(null);
    fill(this.facts, h("span.line", { data: { state: "connecting" } }, "Waiting for the answer …"));
    this.body.setAttribute("aria-busy", "true");
  }

  show({ status, milliseconds, bytes, body }) {
    this._shows(body);
    const cost = body.extensions?.cost;
    const state = body.errors ? "refused" : problems(body) ? "waiting" : "live";
    const parts = [
      h("span.line", { data: { state } }, verdict(body)),
      h("span.count", {}, String(status)),
      h("span.count", {}, `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`),
      h("span.count", {}, bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`),
      cost ? h("span.count", { title: `of ${cost.capacity}, ${cost.refillPerSecond} more each second` }, price(cost)) : null,
    ];
    fill(this.facts, parts);
    fill(this.body, tree(body));
  }

  fault(error) {
    this._shows(null);
    fill(this.facts, h("span.line", { data: { state: "refused" } }, "No answer"));
    fill(this.body, h("p.empty", {}, error.message));
  }

  follow(following) {
    this._shows(null);
    fill(this.facts, "Following");
    fill(this.body, following.element);
  }

  _shows(body) {
    this.shown = body;
    this.copy.hidden = body === null;
    this.body.removeAttribute("aria-busy");
  }

  async _copy() {
    await navigator.clipboard.writeText(JSON.stringify(this.shown, null, 2));
    this.copy.textContent = "Copied";
    setTimeout(() => (this.copy.textContent = "Copy"), 1500);
  }
}

function verdict(body) {
  if (body.errors) return body.errors.length === 1 ? "An error" : `${body.errors.length} errors`;
  const count = problems(body);
  if (count) return count === 1 ? "Refused: a problem" : `Refused: ${count} problems`;
  return "Done";
}

/** What it cost, and what is left of the budget. */
const price = ({ requested, remaining }) => `cost ${requested}, ${remaining} left`;

/** How many problems the payloads of mutations tell. */
const problems = ({ data }) => Object.values(data ?? {}).reduce((sum, payload) => sum + (payload?.problems?.length ?? 0), 0);
