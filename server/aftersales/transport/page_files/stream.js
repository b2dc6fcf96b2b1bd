// Follows a subscription for as long as one likes: reconnects by itself, and resumes after the last cursor.

import { subscribe } from "./socket.js";

const FIRST_WAIT = 0.5;
const LONGEST_WAIT = 10;
// A line that is silent for longer than the heartbeats it has promised is dead, whatever the browser thinks of it.
const HEARTBEATS_MISSED = 2.5;

/**
 * @param {{document: string, variables?: object, token?: string, resumes?: boolean}} operation
 *   `resumes`: whether it takes the variable `after`
 * @param {object} on
 * @param {(result: object) => void} on.item
 * @param {(state: {name: "connecting"|"live"|"waiting"|"stopped"|"refused"|"ended", why?: string, seconds?: number}) => void} on.state
 */
export class Stream {
  constructor(operation, on) {
    this.operation = operation;
    this.on = on;
    this.cursor = operation.variables?.after ?? null;
    this.reconnects = 0;
    this.failures = 0;
    this.silence = null;
  }

  start() {
    this._state("connecting");
    const variables = { ...this.operation.variables };
    if (this.operation.resumes && this.cursor) variables.after = this.cursor;
    this.leave = subscribe(
      { ...this.operation, variables },
      {
        item: (result) => this._item(result),
        refused: (errors) => this._end("refused", errors.map((error) => error.message).join(" ")),
        ended: () => this._end("ended"),
        lost: (why) => this._again(why),
      },
    );
    return this;
  }

  stop() {
    this._end("stopped");
  }

  _item(result) {
    this.failures = 0;
    if (this.state !== "live") this._state("live");
    const [item] = Object.values(result.data ?? {});
    if (item?.cursor) this.cursor = item.cursor;
    this._expect(item?.heartbeatSeconds);
    this.on.item(result);
  }

  /** Sets the alarm for a line that has gone silent. */
  _expect(heartbeat) {
    if (heartbeat) this.silence = heartbeat * HEARTBEATS_MISSED * 1000;
    clearTimeout(this.alarm);
    if (this.silence) this.alarm = setTimeout(() => this._silent(), this.silence);
  }

  _silent() {
    this.leave();
    this._again("Nothing was heard for too long.");
  }

  _again(why) {
    this._hush();
    const seconds = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.failures);
    this.failures += 1;
    this.reconnects += 1;
    this._state("waiting", { why, seconds });
    this.retry = setTimeout(() => this.start(), seconds * 1000);
  }

  _end(name, why) {
    this._hush();
    this.leave?.();
    this._state(name, { why });
  }

  _hush() {
    clearTimeout(this.alarm);
    clearTimeout(this.retry);
  }

  _state(name, more = {}) {
    this.state = name;
    this.on.state({ name, ...more });
  }
}
