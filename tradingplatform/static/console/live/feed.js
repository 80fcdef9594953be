"use strict";
/* A list of events that goes on by itself: the page came with the newest rows, the next ones are put on top. It waits while
   somebody points at it, or has paused it, and keeps a bounded number of rows. What an event says is text, never markup. */
(() => {
  const settings = JSON.parse(document.getElementById("feed-settings").textContent);
  const feed = document.getElementById("feed");
  const part = (name, within = feed) => within.querySelector(`[data-part="${name}"]`);
  const [rows, empty, pause, stateText] = ["rows", "empty", "pause", "state"].map((name) => part(name));
  const blank = part("row").content.querySelector("tr");
  const form = feed.querySelector("form");
  const state = feed.querySelector(".feed-state");
  const severities = Object.keys(settings.severities);
  const held = new Set(); // why new rows wait: "button", "pointer"
  let waiting = [];
  let asked = 0;

  const wish = () => {
    const { least, kind, bot } = Object.fromEntries(new FormData(form));
    return {
      severities: least ? severities.slice(severities.indexOf(least)) : [],
      kinds: kind ? [kind] : settings.kinds,
      bots: bot ? [Number(bot)] : [],
    };
  };

  const time = (text) => text.slice(0, 19).replace("T", " ");

  const brief = (value) => {
    const text = String(value ?? "");
    const [, cut] = text.match(/^(-?\d+\.\d+)$/) ?? [];
    const end = text.indexOf(".") + 1 + settings.digits;
    return cut && cut.length > end ? `${cut.slice(0, end)}…` : text;
  };

  const figures = (payload) => {
    const keys = settings.figures.find(([check]) => payload?.[check]) ?? [];
    return keys.map((key) => (key ? brief(payload[key]) : ""));
  };

  const botLink = (id) => {
    if (!id) return "";
    if (!settings.bots[id]) return `bot ${id}`; // made after this page
    const link = document.createElement("a");
    link.className = "text-link";
    link.href = settings.botUrl.replace("/0/", `/${id}/`);
    link.textContent = settings.bots[id];
    return link;
  };

  const rowOf = (event) => {
    const row = blank.cloneNode(true);
    Object.assign(row.dataset, {
      seq: event.seq,
      kind: event.kind,
      severity: event.severity,
      bot: event.bot_id ?? "",
    });
    row.className = "feed-fresh";
    const [check = "", limit = "", value = ""] = figures(event.payload);
    const cells = { market_at: time(event.market_at), wall_at: time(event.wall_at), kind: event.kind, text: event.text };
    Object.assign(cells, { check, limit, value, bot: botLink(event.bot_id) });
    for (const [name, content] of Object.entries(cells)) {
      row.querySelector(`[data-cell="${name}"]`)?.replaceChildren(content);
    }
    row.querySelector(".feed-severity").textContent = settings.severities[event.severity] ?? event.severity;
    return row;
  };

  const offerKind = (kind) => {
    if ([...form.kind.options].some((option) => option.value === kind)) return;
    form.kind.add(new Option(kind, kind));
  };

  const tidy = () => {
    while (rows.rows.length > settings.kept) rows.lastElementChild.remove();
    empty.hidden = [...rows.rows].some((row) => !row.hidden);
  };

  const show = (events) => {
    events.forEach((event) => offerKind(event.kind));
    const wanted = wish();
    rows.prepend(...events.filter((event) => Live.accepts(wanted, event)).map(rowOf).reverse());
    tidy();
  };

  const sayHeld = () => {
    pause.setAttribute("aria-pressed", held.has("button"));
    const verb = held.has("button") ? "Resume" : "Pause";
    pause.textContent = waiting.length ? `${verb} (${waiting.length} waiting)` : verb;
    feed.classList.toggle("feed-held", held.size > 0);
  };

  const take = (events) => {
    if (!held.size) return show(events);
    waiting.push(...events);
    waiting.splice(0, waiting.length - settings.kept);
    sayHeld();
  };

  const hold = (why, yes) => {
    yes ? held.add(why) : held.delete(why);
    if (!held.size) show(waiting.splice(0));
    sayHeld();
  };

  const tell = ({ name, since }) => {
    const at = new Date(since).toISOString().slice(11, 19);
    const texts = {
      live: "Live",
      connecting: "Connecting …",
      closed: "Connecting …",
      reconnecting: `No connection since ${at} UTC: what is here may be old. Trying again`,
      signed_out: "Signed out: nothing new is shown. ",
    };
    state.dataset.state = name;
    feed.classList.toggle("feed-stale", name === "reconnecting" || name === "signed_out");
    stateText.textContent = texts[name];
    if (name !== "signed_out") return;
    const link = document.createElement("a");
    link.className = "text-link";
    link.href = location.href; // asks to log in, and comes back
    link.textContent = "Log in again";
    stateText.append(link);
  };

  const subscription = Live.subscribe(wish(), { after: settings.after, onEvents: take, onState: tell });

  /* The rows that are here are filtered at once; then the server is asked for the newest that match. */
  const choose = async () => {
    const mine = ++asked;
    const wanted = wish();
    for (const row of rows.rows) {
      const { kind, severity, bot } = row.dataset;
      row.hidden = !Live.accepts(wanted, { kind, severity, bot_id: bot ? Number(bot) : null });
    }
    tidy();
    const chosen = [...new FormData(form)].filter(([, value]) => value);
    const query = new URLSearchParams(chosen);
    history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
    query.set(settings.part, "1");
    const page = await fetch(`?${query}`).then(
      (answer) => (answer.ok && !answer.redirected ? answer.text() : null),
      () => null,
    );
    if (mine !== asked) return;
    if (page === null) return subscription.change(wanted);
    const found = new DOMParser().parseFromString(page, "text/html");
    const { after } = JSON.parse(found.getElementById("feed-settings").textContent);
    rows.replaceChildren(...part("rows", found).rows);
    waiting = [];
    sayHeld();
    tidy();
    subscription.change(wanted, after);
  };

  form.addEventListener("change", choose);
  form.addEventListener("submit", (event) => event.preventDefault());
  pause.addEventListener("click", () => hold("button", !held.has("button")));
  const box = feed.querySelector(".feed-box");
  box.addEventListener("pointerenter", ({ pointerType }) => pointerType === "mouse" && hold("pointer", true));
  box.addEventListener("pointerleave", ({ pointerType }) => pointerType === "mouse" && hold("pointer", false));
  pause.hidden = false;
})();
