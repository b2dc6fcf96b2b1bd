// Cuts a GraphQL document into tokens. Loses nothing: put together again, they are the text.

const PATTERN = new RegExp(
  [
    /(?<comment>#[^\n\r]*)/,
    /(?<string>"""(?:\\"""|[^])*?(?:"""|$)|"(?:\\.|[^"\\\n])*"?)/,
    /(?<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/,
    /(?<variable>\$[_A-Za-z]\w*)/,
    /(?<directive>@[_A-Za-z]\w*)/,
    /(?<name>[_A-Za-z]\w*)/,
    /(?<mark>\.\.\.|[!$&()=:@[\]{}|])/,
    /(?<blank>[\s,\uFEFF]+)/,
    /(?<wrong>[^])/,
  ]
    .map((part) => part.source)
    .join("|"),
  "gu",
);

/** @returns {{kind: string, text: string, start: number, end: number}[]} */
export function tokens(text) {
  return Array.from(text.matchAll(PATTERN), (match) => {
    const [kind] = Object.entries(match.groups).find(([, found]) => found !== undefined);
    return { kind, text: match[0], start: match.index, end: match.index + match[0].length };
  });
}

/** Those that mean something to the server. */
export const telling = (all) => all.filter((token) => token.kind !== "blank" && token.kind !== "comment");
