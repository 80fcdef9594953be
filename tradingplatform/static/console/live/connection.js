"use strict";
/* The one connection to the stream of events, and what is known of it.

   States: connecting, live, reconnecting, signed_out, closed; `since` is when it became so (ms). It resumes by the
   number of the last event that it got, so nothing is lost. The server pings every 15 s: a connection that is silent for
   longer is dead, though nobody has said so, and is opened anew. */
self.Live ??= {};

Live.Connection = class {
  static SILENT_MS = 40_000;
  static FIRST_WAIT_MS = 1_000;
  static LONGEST_WAIT_MS = 30_000;

  /* urls: {stream, mayListen}. told: {event(event), session(mark), state(state)}. */
  constructor(urls, told) {
    this.urls = urls;
    this.told = told;
    this.last = 0;
    this.state = { name: "closed", since: Date.now() };
  }

  /* From this event on, whatever was open before. */
  open(after) {
    this.#end();
    this.last = after;
    this.waitMs = Live.Connection.FIRST_WAIT_MS;
    this.#become("connecting");
    this.#connect();
  }

  close() {
    this.#end();
    this.#become("closed");
  }

  #connect() {
    const source = new EventSource(`${this.urls.stream}?after=${this.last}`);
    this.source = source;
    source.addEventListener("hello", (message) => {
      this.waitMs = Live.Connection.FIRST_WAIT_MS;
      this.#heard();
      this.told.session(JSON.parse(message.data).session);
      this.#become("live");
    });
    source.addEventListener("ping", () => this.#heard());
    source.onmessage = (message) => {
      this.#heard();
      const event = JSON.parse(message.data);
      this.last = event.seq;
      this.told.event(event);
    };
    source.onerror = () => {
      if (source !== this.source) return;
      this.#become("reconnecting");
      if (source.readyState === EventSource.CLOSED) this.#askWhy(); // else the browser tries again by itself
    };
    this.#heard();
  }

  #heard() {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => {
      this.#become("reconnecting");
      this.#end();
      this.#connect();
    }, Live.Connection.SILENT_MS);
  }

  /* An EventSource that was refused does not say why, and does not try again. */
  async #askWhy() {
    const refused = this.source;
    clearTimeout(this.watchdog);
    const status = await fetch(this.urls.mayListen, { cache: "no-store" }).then(
      (answer) => answer.status,
      () => 0,
    );
    if (refused !== this.source) return;
    if (status === 403) {
      this.#end();
      this.#become("signed_out");
      return;
    }
    this.retry = setTimeout(() => this.#connect(), this.waitMs);
    this.waitMs = Math.min(2 * this.waitMs, Live.Connection.LONGEST_WAIT_MS);
  }

  #end() {
    clearTimeout(this.watchdog);
    clearTimeout(this.retry);
    this.source?.close();
    this.source = null;
  }

  #become(name) {
    if (this.state.name === name) return;
    this.state = { name, since: Date.now() };
    this.told.state(this.state);
  }
};
