// One request as a row, and its deadline that ticks.

import { countdown, urgency } from "../clock.js";
import { dayAndTime, h } from "../dom.js";
import { party } from "./words.js";

/** @param {(id: string) => void} open */
export function rowOf(request, open) {
  const row = h("tr", { role: "row", data: { id: request.id }, on: { click: (event) => event.target.closest("button") || open(request.id) } });
  return redrawn(row, request, open);
}

/** Draws the row anew, and keeps the element: whoever has the focus in it keeps it. */
export function redrawn(row, request, open) {
  const focused = row.contains(document.activeElement);
  const number = h("button.number", { type: "button", on: { click: () => open(request.id) } }, request.number);
  row.replaceChildren(
    cell("due", due(request.nextDeadline)),
    cell("request", number, h("small", {}, request.kind.label)),
    cell("what", ...goods(request)),
    cell("stage", request.stage.label, h("small", {}, request.nextDeadline?.label ?? request.reason.label)),
    cell("turn", turn(request)),
    cell("money", (request.money.approved ?? request.money.maximum).formatted),
  );
  if (focused) number.focus({ preventScroll: true });
  tick(row);
  return row;
}

const cell = (name, ...held) => h(`td.${name}`, { role: "cell" }, ...held);

function due(deadline) {
  if (!deadline?.dueAt) return [h("span.none", {}, "no clock")];
  const title = `${dayAndTime(deadline.dueAt)}. ${deadline.onExpiry}`;
  return [h("time.countdown", { datetime: deadline.dueAt, title }), h("small.urgency")];
}

function goods({ lines }) {
  const [first, ...more] = lines;
  const { productName, variationName } = first.orderLine;
  const count = first.quantity > 1 ? `${first.quantity} × ` : "";
  const rest = more.length ? `and ${more.length} more` : variationName;
  return [`${count}${productName}`, rest ? h("small", {}, rest) : null];
}

function turn({ nextDeadline }) {
  return nextDeadline ? h(`span.party.${nextDeadline.owedBy.toLowerCase()}`, {}, party(nextDeadline.owedBy)) : "";
}

const URGENCIES = { CALM: "", WARNING: "within a day", URGENT: "soon", OVERDUE: "overdue" };

/** Sets the countdowns within an element to what they are now. */
export function tick(element) {
  for (const time of element.querySelectorAll("time.countdown")) {
    const { dateTime } = time;
    const text = countdown(dateTime);
    if (time.textContent !== text) time.textContent = text;
    const how = urgency(dateTime);
    const holder = time.closest("tr, li, .deadline");
    if (!holder || holder.dataset.urgency === how) continue;
    holder.dataset.urgency = how;
    const word = holder.querySelector(".urgency");
    if (word) word.textContent = URGENCIES[how];
  }
}
