"use strict";
/* Live events for a page, whatever it shows:

     const subscription = Live.subscribe({kinds: [...], severities: [...], bots: [...]}, {
       after: 17,                          // the last event that the page has
       onEvents: (events) => ...,          // the next ones, in order, each once
       onState: ({name, since}) => ...,    // live, connecting, reconnecting, signed_out: what is shown may be old
     });
     subscription.change(wish, after);
     subscription.stop();

   Included by console/live_scripts.html, which says where the worker is and whose login the page was made for. */
self.Live ??= {};

(() => {
  const { worker, stream, mayListen, session } = document.currentScript.dataset;
  const CHECK_MS = 30_000;
  const SILENT_MS = 100_000; // the hub pings every 30 s
  const subscriptions = new Map();
  let canShare = typeof SharedWorker === "function";
  let port = null;
  let heardAt = 0;
  let hub = null;
  let last = { name: "connecting", since: Date.now() };

  const say = (message) => port?.postMessage(message);

  const ask = (id, { wish, after }) => say({ type: "subscribe", id, wish, after, session });

  const tell = (state) => {
    last = state;
    subscriptions.forEach(({ onState }) => onState?.(state));
  };

  const answer = (upto) => {
    say({ type: "here" });
    subscriptions.forEach((subscription) => (subscription.after = Math.max(subscription.after, upto)));
  };

  const hear = ({ data }) => {
    heardAt = Date.now();
    if (data.type === "ping") answer(data.upto);
    if (data.type === "state") tell(data.state);
    if (data.type !== "events") return;
    const subscription = subscriptions.get(data.id);
    const events = data.events.filter((event) => event.seq > (subscription?.after ?? Infinity));
    if (!events.length) return;
    subscription.after = events.at(-1).seq;
    subscription.onEvents(events);
  };

  const sharedPort = () => {
    const shared = new SharedWorker(worker, { name: "live" });
    shared.onerror = () => {
      canShare = false; // its file is not to be had
      connect();
    };
    return shared.port;
  };

  const ownPort = () => {
    hub ??= new Live.Hub({ stream, mayListen });
    const { port1, port2 } = new MessageChannel();
    hub.join(port1);
    return port2;
  };

  const leave = () => {
    say({ type: "bye" });
    port?.close();
    port = null;
  };

  const connect = () => {
    leave();
    if (!subscriptions.size) return;
    heardAt = Date.now();
    port = canShare ? sharedPort() : ownPort();
    port.onmessage = hear;
    subscriptions.forEach((subscription, id) => ask(id, subscription));
  };

  addEventListener("pagehide", leave);
  addEventListener("pageshow", ({ persisted }) => persisted && connect());
  document.addEventListener("visibilitychange", () => {
    if (!canShare) document.hidden ? leave() : connect(); // one of six connections that a browser has for a site
    else if (!document.hidden) subscriptions.forEach((subscription, id) => ask(id, subscription)); // it was frozen
  });
  setInterval(() => {
    if (!port || document.hidden || Date.now() - heardAt < SILENT_MS) return;
    tell({ name: "reconnecting", since: heardAt }); // the worker died
    connect();
  }, CHECK_MS);

  Live.subscribe = (wish, { after, onEvents, onState }) => {
    const id = crypto.randomUUID?.() ?? String(Math.random());
    const subscription = { wish, after, onEvents, onState };
    subscriptions.set(id, subscription);
    onState?.(last);
    if (port) ask(id, subscription);
    else if (canShare || !document.hidden) connect();
    return {
      change(newWish, newAfter = subscription.after) {
        Object.assign(subscription, { wish: newWish, after: newAfter });
        ask(id, subscription);
      },
      stop() {
        subscriptions.delete(id);
        say({ type: "unsubscribe", id });
        if (!subscriptions.size) leave();
      },
    };
  };
})();
