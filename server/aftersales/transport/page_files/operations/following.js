// A subscription in the workbench: what it says as it comes, the latest first, and how the line is.

import { announce, button, clockTime, fill, h } from "../dom.js";
import { Stream } from "../stream.js";
import { tree } from "./response.js";

const KEPT = 200;
const STATES = {
  connecting: () => "Connecting …",
  live: () => "Live",
  waiting: ({ why, seconds }) => `${why} Again in ${seconds} s.`,
  stopped: () => "Stopped",
  refused: ({ why }) => `Refused: ${why}`,
  ended: () => "The server has ended it.",
};

export class Following {
  /**
   * @param {{document: string, variables: object, token: string, resumes: boolean}} operation
   */
  constructor(operation) {
    this.operation = operation;
    this.counts = new Map();
    this.total = 0;
    this.line = h("span.line", { role: "status" });
    this.tally = h("p.tally");
    this.items = h("ol.items", { "aria-label": "What came, the latest first", reversed: true });
    this.toggle = button("Stop", () => this._toggle());
    this.clear = button("Clear", () => this._clear());
    this.element = h("div.following", {}, h("div.bar", {}, this.line, this.toggle, this.clear), this.tally, this.items);
    this.stream = this._begin(operation.variables);
    this._count();
  }

  stop() {
    this.stream.stop();
  }

  _begin(variables) {
    const on = { item: (result) => this._item(result), state: (state) => this._state(state) };
    this.stream = new Stream({ ...this.operation, variables }, on);
    return this.stream.start();
  }

  _toggle() {
    if (this.running) return this.stream.stop();
    // goes on after the last that was seen: nothing that happened meanwhile is lost
    const after = this.operation.resumes && this.stream.cursor;
    this._begin(after ? { ...this.operation.variables, after } : this.operation.variables);
    return undefined;
  }

  _state(state) {
    this.running = ["connecting", "live", "waiting"].includes(state.name);
    this.line.dataset.state = state.name;
    this.line.textContent = STATES[state.name](state);
    const resume = this.operation.resumes && this.stream?.cursor ? "Resume after the last" : "Begin again";
    this.toggle.textContent = this.running ? "Stop" : resume;
    if (this.stream) this._count();
  }

  _item(result) {
    const [item] = Object.values(result.data ?? {});
    const type = item?.__typename ?? (result.errors ? "errors" : "item");
    this.total += 1;
    this.counts.set(type, (this.counts.get(type) ?? 0) + 1);
    this.items.prepend(entry(result, type, item));
    while (this.items.childElementCount > KEPT) this.items.lastElementChild.remove();
    this._count();
    announce(`${this.total} items so far, the last is ${type}`, 15);
  }

  _count() {
    const kinds = [...this.counts].map(([type, count]) => h("span.count", {}, h("b", {}, String(count)), ` ${type}`));
    const { reconnects } = this.stream;
    const more = this.total > KEPT ? h("span.count", {}, `the last ${KEPT} are kept`) : null;
    fill(
      this.tally,
      h("span.count", {}, h("b", {}, String(this.total)), " in all"),
      kinds,
      more,
      reconnects ? h("span.count", {}, h("b", {}, String(reconnects)), " reconnected") : null,
    );
  }

  _clear() {
    this.items.replaceChildren();
    this.counts.clear();
    this.total = 0;
    this._count();
  }
}

function entry(result, type, item) {
  const about = [item?.event?.type, item?.request?.number, item?.request?.stage?.label, item?.reason].filter(Boolean);
  return h(
    "li",
    {},
    h(
      "details.item",
      {
        on: {
          // the tree is made when somebody looks: hundreds of them would be heavy
          toggle: (event) => event.target.childElementCount > 1 || event.target.append(h("div.json", {}, tree(result))),
        },
      },
      h("summary", {}, h("time", {}, clockTime(Date.now())), h("b", {}, type), h("span", {}, about.join(" · "))),
    ),
  );
}
