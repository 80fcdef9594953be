"use strict";
/* One connection, shared by every page that has a port to it. In a SharedWorker all tabs of a browser share one hub;
   without SharedWorkers a page has its own.

   A page says: {type: "subscribe", id, wish, after, session}, {type: "unsubscribe", id}, {type: "here"}, {type: "bye"}.
   It is told: {type: "events", id, events}, {type: "state", state}, {type: "ping", upto}. Nobody waits for a page: what is
   posted to a slow one lies in its own queue, and one that answers no ping is forgotten. */
self.Live ??= {};

/* Whether a wish covers an event; what it does not name may be anything. */
Live.accepts = (wish, event) =>
  (!wish.kinds?.length || wish.kinds.includes(event.kind)) &&
  (!wish.severities?.length || wish.severities.includes(event.severity)) &&
  (!wish.bots?.length || wish.bots.includes(event.bot_id));

Live.Hub = class {
  static RING = 2_000; // events kept for pages that come later
  static PING_MS = 30_000;
  static UNANSWERED = 3;
  static GATHER_MS = 20;

  constructor(urls) {
    this.pages = new Set();
    this.session = null; // of the connection, as the server says; null until it did
    this.ring = [];
    this.ringAfter = 0; // the ring has everything after this number
    this.connection = new Live.Connection(urls, {
      event: (event) => this.#take(event),
      session: (mark) => this.#belongs(mark),
      state: () => this.pages.forEach((page) => this.#tellState(page)),
    });
    setInterval(() => this.#ping(), Live.Hub.PING_MS);
  }

  join(port) {
    const page = { port, wishes: new Map(), session: null, unanswered: 0 };
    port.onmessage = ({ data }) => this.#hear(page, data);
  }

  #hear(page, said) {
    page.unanswered = 0;
    if (said.type === "subscribe") this.#subscribe(page, said);
    if (said.type === "unsubscribe") page.wishes.delete(said.id);
    if (said.type === "bye") this.#forget(page);
  }

  #subscribe(page, { id, wish, after, session }) {
    const outdated = page.session === session && this.session !== null && session !== this.session;
    page.session = session;
    page.wishes.set(id, { wish, after, gathered: [] });
    this.pages.add(page);
    if (!outdated && this.#mustOpen(after, session)) this.#open(after);
    else this.ring.forEach((event) => this.#offer(page, event));
    this.#tellState(page);
  }

  /* A login that the connection does not belong to is perhaps the newer one: the server says which of them holds. */
  #mustOpen(after, session) {
    const { name } = this.connection.state;
    const another = this.session !== null && session !== this.session;
    return name === "closed" || name === "signed_out" || another || after < this.ringAfter;
  }

  #open(after) {
    this.ring = [];
    this.ringAfter = after;
    this.session = null;
    this.connection.open(after);
  }

  #belongs(mark) {
    if (this.session !== null && this.session !== mark) {
      this.ring = []; // what another login was shown
      this.ringAfter = this.connection.last;
    }
    this.session = mark;
    this.pages.forEach((page) => this.#tellState(page));
  }

  #take(event) {
    this.ring.push(event);
    if (this.ring.length > Live.Hub.RING) this.ringAfter = this.ring.shift().seq;
    this.pages.forEach((page) => this.#offer(page, event));
  }

  #offer(page, event) {
    if (page.session !== this.session) return;
    for (const [id, subscription] of page.wishes) {
      if (event.seq <= subscription.after) continue;
      subscription.after = event.seq;
      if (!Live.accepts(subscription.wish, event)) continue;
      if (!subscription.gathered.length) setTimeout(() => this.#post(page, id, subscription), Live.Hub.GATHER_MS);
      subscription.gathered.push(event);
    }
  }

  #post(page, id, subscription) {
    const events = subscription.gathered;
    subscription.gathered = [];
    if (events.length && page.wishes.get(id) === subscription) page.port.postMessage({ type: "events", id, events });
  }

  #tellState(page) {
    const { state } = this.connection;
    const another = this.session !== null && page.session !== this.session;
    page.port.postMessage({ type: "state", state: another ? { name: "signed_out", since: state.since } : state });
  }

  #ping() {
    for (const page of this.pages) {
      page.unanswered += 1;
      if (page.unanswered > Live.Hub.UNANSWERED) this.#forget(page);
      else this.#askIfThere(page);
    }
  }

  /* `upto`: the page has been offered everything so far, whether it wished for it or not. */
  #askIfThere(page) {
    page.wishes.forEach((subscription, id) => this.#post(page, id, subscription));
    const upto = page.session === this.session ? this.connection.last : 0;
    page.port.postMessage({ type: "ping", upto });
  }

  /* A page that was only frozen subscribes again, and is remembered. */
  #forget(page) {
    page.wishes.clear();
    this.pages.delete(page);
    if (!this.pages.size) this.connection.close();
  }
};
