"use strict";
/* A SharedWorker: the hub that all tabs of one browser share, so that ten of them are one connection. Its address has the
   version of these files in it: a page of another version gets a worker of its own, and the two never mix. */
importScripts(`connection.js${location.search}`, `hub.js${location.search}`);

const options = new URLSearchParams(location.search);
const hub = new Live.Hub({ stream: options.get("stream"), mayListen: options.get("may_listen") });

onconnect = ({ ports: [port] }) => hub.join(port);
