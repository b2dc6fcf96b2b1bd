// How the line to the server is, in a word, and what came over it.

import { fill, h } from "../dom.js";

const WORDS = {
  none: () => "",
  connecting: () => "Connecting …",
  live: () => "Live",
  waiting: ({ seconds }) => `Connection lost, again in ${seconds} s`,
  stopped: () => "",
  ended: () => "The server ended the stream",
  refused: ({ why }) => why,
};

export class Line {
  constructor() {
    this.state = h("span.line", { role: "status", id: "line" });
    this.counts = h("span.tally");
    this.element = h("p.line-bar", {}, this.state, this.counts);
  }

  show(state) {
    this.state.dataset.state = state.name;
    this.state.textContent = WORDS[state.name](state);
    if (state.name === "none") fill(this.counts);
  }

  count({ come, changed, left }) {
    fill(this.counts, `${come} came · ${changed} changed · ${left} left`);
  }
}
