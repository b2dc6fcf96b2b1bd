// What a person sees at this moment: requests page by page, as far as one must look, and appeals.

import { data } from "../asking.js";

const PAGES = 8; // of a hundred requests each; who does not find it there is told so

const ACTION = `fragment Action on AvailableAction {
  handle mutation maximumAmount { amount currency } reasons { handle evidenceRequired }
}`;
const PAGE = `query Seen($after: Cursor) {
  requests(first: 100, after: $after) {
    nodes {
      id number version
      kind { handle }
      reason { handle evidenceRequired }
      order { id lines { id skuId productName quantity } total { currency } }
      lines { quantity orderLine { id } }
      money { maximum { amount currency } }
      shipments { leg method status carrier trackingNumber }
      availableActions { ...Action }
      disputes { availableActions { ...Action } }
    }
    pageInfo { hasNextPage endCursor }
  }
}
${ACTION}`;
const PERSON = `query Person {
  me { party shops { id market } }
  appeals(first: 50) { nodes { id version availableActions { ...Action } } }
}
${ACTION}`;

export class Seen {
  /** @throws {Refused} for a token that is no longer good, or a budget that is spent */
  static async by(token) {
    const { me, appeals } = await data(PERSON, {}, token);
    const seen = new Seen(token, me, appeals.nodes);
    await seen._next();
    return seen;
  }

  constructor(token, me, appeals) {
    this.token = token;
    this.me = me;
    this.appeals = appeals;
    this.requests = [];
    this.pages = 0;
    this.after = null;
  }

  /** The first that `pick` makes something of, looking further only as long as it makes nothing. */
  async find(pick) {
    for (let at = 0; ; at++) {
      if (at === this.requests.length && !(await this._next())) return null;
      const found = pick(this.requests[at]);
      if (found) return found;
    }
  }

  async _next() {
    if (this.pages === PAGES || (this.pages && !this.after)) return false;
    const { requests } = await data(PAGE, { after: this.after }, this.token);
    this.pages += 1;
    this.after = requests.pageInfo.hasNextPage ? requests.pageInfo.endCursor : null;
    this.requests.push(...requests.nodes);
    return requests.nodes.length > 0;
  }
}
