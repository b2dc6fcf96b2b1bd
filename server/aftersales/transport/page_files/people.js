// Who one is: somebody of the demo, a stranger, or whoever a token says.

import { announce, button, byId, fill, h } from "./dom.js";

const STRANGER = "a stranger";
const PASTED = "who the token says";
const REMEMBERED = "aftersales.person";

/** Tells `changed` listeners whenever one becomes another. A pasted token is kept by this page only, and only while it is open. */
class Person extends EventTarget {
  name = STRANGER;
  token = "";

  become(name, token) {
    this.name = name;
    this.token = token;
    sessionStorage.setItem(REMEMBERED, name);
    this.dispatchEvent(new Event("changed"));
  }
}

export const person = new Person();

/** Fills the choice in the head of the page. */
export function offer(people) {
  const tokens = new Map(people);
  const choice = byId("person");
  fill(choice, [...tokens.keys(), STRANGER].map((name) => h("option", { value: name }, name)));
  choice.append(h("option", { value: PASTED }, "paste a token …"));
  const remembered = sessionStorage.getItem(REMEMBERED);
  const first = tokens.has(remembered) || remembered === STRANGER ? remembered : (people[0]?.[0] ?? STRANGER);
  choice.value = first;
  person.become(first, tokens.get(first) ?? "");
  choice.addEventListener("change", () => {
    if (choice.value === PASTED) return paste(choice);
    person.become(choice.value, tokens.get(choice.value) ?? "");
    announce(`You are ${person.name}.`);
  });
}

function paste(choice) {
  const before = person.name;
  const token = h("textarea", { id: "token", rows: 5, spellcheck: "false", autocomplete: "off", required: true });
  const dialog = h("dialog.ask", { "aria-labelledby": "token-title" });
  const form = h(
    "form",
    { method: "dialog" },
    h("h2", { id: "token-title" }, "Paste a token"),
    h("label", { for: "token" }, "A bearer token that this server accepts; `aftersales token` makes one"),
    token,
    h(
      "div.buttons",
      {},
      h("button.primary", { type: "submit", value: "use" }, "Use it"),
      button("Cancel", () => dialog.close()),
    ),
  );
  dialog.append(form);
  dialog.addEventListener("close", () => {
    const given = token.value.trim().replace(/^Bearer\s+/i, "");
    dialog.remove();
    if (dialog.returnValue === "use" && given) person.become(PASTED, given);
    else choice.value = before;
    choice.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
}
