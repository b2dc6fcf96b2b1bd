// Makes elements. No text ever becomes markup here: what comes from the server is only ever text.

/**
 * An element with what it holds.
 *
 * @param {string} name for example `button`, or with classes `p.note.quiet`
 * @param {object} [props] attributes; `on` is an object of listeners, `data` of data attributes, a false value is left out
 * @param {...(Node|string|number|null|false|Array)} held
 */
export function h(name, props = {}, ...held) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) {
    if (key === "on") {
      for (const [event, listen] of Object.entries(value)) element.addEventListener(event, listen);
    } else if (key === "data") {
      Object.assign(element.dataset, value);
    } else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(key, value === true ? "" : value);
    }
  }
  element.append(...flat(held));
  return element;
}

/** Puts what is given in the place of all that the element holds. */
export function fill(element, ...held) {
  element.replaceChildren(...flat(held));
  return element;
}

export function button(label, press, props = {}) {
  const { kind = "", ...rest } = props;
  return h(`button${kind ? `.${kind}` : ""}`, { type: "button", on: { click: press }, ...rest }, label);
}

export const byId = (id) => document.getElementById(id);

/** Calls once things have been quiet for so long. */
export function calmly(milliseconds, act) {
  let timer;
  return (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => act(...given), milliseconds);
  };
}

let spoken = 0;

/** Says it to those who listen to the page instead of looking at it; at most once in `seconds`, the latest wins. */
export function announce(text, seconds = 0) {
  const now = Date.now();
  if (seconds && now - spoken < seconds * 1000) return;
  spoken = now;
  byId("announcements").textContent = text;
}

/** Shows a time or a moment of the day as people here write it. */
export const clockTime = (instant) =>
  new Date(instant).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });

export const dayAndTime = (instant) =>
  new Date(instant).toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

function flat(held) {
  return held.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false);
}
