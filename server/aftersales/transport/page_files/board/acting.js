// Doing what may be done: with a yes where a yes is enough, in the editor where more is asked.

import { data } from "../asking.js";
import { announce, button, dayAndTime, fill, h } from "../dom.js";
import { inputFor, needsOnlyAYes, newKey, variablesFor } from "../operations/filling.js";
import { made } from "../operations/library.js";
import { about, asked } from "../operations/samples.js";
import { read } from "../language/reader.js";
import { innermost } from "../language/schema.js";
import { person } from "../people.js";
import { PREVIEW } from "./documents.js";
import { party } from "./words.js";

/** Whether a press on the button and a yes is all it takes. */
export const simple = (action, schema) => !action.reasons.length && needsOnlyAYes(action.mutation, schema);

/** Everything one may do, each with what it is done to. */
export function actionsOf(request) {
  const { appeal } = request;
  const onRequest = [request, ...request.disputes].flatMap(({ availableActions }) => availableActions);
  const onAppeal = appeal?.availableActions ?? [];
  return [
    ...onRequest.map((action) => ({ action, target: { requestId: request.id, expectedVersion: request.version } })),
    ...onAppeal.map((action) => ({ action, target: { appealId: appeal.id, expectedVersion: appeal.version } })),
  ];
}

/** The operation and variables to finish it with in the editor. */
export function prefilled({ action, target }, request, { library, schema }) {
  const found = library.find((one) => one.field === action.mutation && one.kind === "mutation");
  const operation = found ?? { name: action.mutation, text: made(action.mutation, schema), field: action.mutation, kind: "mutation" };
  const [{ variables }] = read(operation.text).operations;
  const { hint, ...more } = asked(action);
  const { maximumAmount: most } = action;
  const amount = most && { amount: { amount: most.amount, currency: most.currency } };
  const known = { ...about({ ...request, reason: {} }), ...amount, ...more, ...target, idempotencyKey: newKey() };
  return [operation, { variables: variablesFor(variables.items, schema, known), hint: hint ?? "" }];
}

/** Asks for the yes, shows what would come of it, and does it. */
export function confirm({ action, target }, request, { schema, done }) {
  const token = person.token;
  const key = newKey(); // one for all presses: whoever presses twice has done it once
  const note = h("input", { id: "act-note", type: "text", maxlength: 500, autocomplete: "off" });
  const brings = h("div.brings", { "aria-live": "polite" }, h("p.quiet", {}, "Looking at what would come of it …"));
  const trouble = h("div.trouble", { role: "alert" });
  const yes = h("button.primary", { type: "submit" }, action.label);
  const form = h(
    "form",
    {},
    h("h2", { id: "act-title" }, action.label),
    h("p.quiet", {}, `${request.number}, ${request.kind.label.toLowerCase()}, ${request.money.maximum.formatted}`),
    brings,
    h("label", { for: "act-note" }, "A word with it, if you like"),
    note,
    trouble,
    h("div.buttons", {}, yes, button("Not now", () => dialog.close())),
  );
  const dialog = h("dialog.ask", { "aria-labelledby": "act-title" }, form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    yes.disabled = true;
    const word = note.value.trim() ? { note: note.value.trim() } : {};
    const problems = await act(action.mutation, { ...target, ...word, idempotencyKey: key }, schema, token);
    yes.disabled = false;
    if (problems.length) return fill(trouble, problems.map(({ message }) => h("p", {}, message)));
    announce(`${request.number}: done.`);
    dialog.close();
    return done();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  yes.focus();
  if (target.requestId) preview(brings, action, request, token);
  else fill(brings);
}

/** @returns {Promise<{message: string}[]>} all that is wrong; none when it was done */
async function act(field, known, schema, token) {
  const type = schema.type(innermost(schema.root("mutation").fields.get(field).args.get("input").type));
  try {
    const answer = await data(made(field, schema), { input: inputFor(type, schema, known) }, token);
    return answer[field].problems;
  } catch (error) {
    return [{ message: `${error.message} Press again: it is not done twice.` }];
  }
}

async function preview(place, action, request, token) {
  try {
    const input = { requestId: request.id, action: action.handle };
    const { requestActPreview: would } = await data(PREVIEW, { input }, token);
    fill(place, ...told(would));
  } catch (error) {
    fill(place, h("p.quiet", {}, error.message));
  }
}

function told({ money, stages, deadlines, problems }) {
  if (problems.length) return problems.map(({ message }) => h("p", {}, message));
  const steps = stages.map(({ label }) => label).join(" → ");
  const next = deadlines.map(({ owedBy, dueAt }) => h("li", {}, `Then ${party(owedBy)} must act until ${dayAndTime(dueAt)}.`));
  return [
    steps ? h("p", {}, h("b", {}, steps)) : null,
    money?.approved ? h("p", {}, `${money.approved.formatted} is granted.`) : null,
    next.length ? h("ul", {}, next) : null,
  ];
}
