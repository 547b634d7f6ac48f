// The echo page.
"use strict";

const byId = (id) => document.getElementById(id);
const log = new Log(byId("log"), 200);
const waiting = []; // times at which messages were sent that are not back yet
let sent = 0;
let received = 0;

const socket = new Socket({
  state(state, detail) {
    showState(byId("state"), state, detail);
    log.add("note", state, "", detail);
    byId("send").disabled = byId("send-many").disabled = state !== "open";
    byId("disconnect").disabled = !socket.wanted;
    if (state !== "open") waiting.length = 0;
  },
  message(data) {
    received++;
    byId("received").textContent = received;
    const start = waiting.shift();
    if (start !== undefined) {
      byId("latency").textContent = (performance.now() - start).toFixed(1) + " ms";
    }
    log.add("in", "received", sizeOf(data), show(data));
  },
});

function send() {
  if (!socket.isOpen) return;
  const text = byId("text").value;
  const data = byId("binary").checked ? new TextEncoder().encode(text) : text;
  waiting.push(performance.now());
  socket.send(data);
  sent++;
  byId("sent").textContent = sent;
  log.add("out", "sent", sizeOf(data), show(typeof data === "string" ? data : data.buffer));
}

offer(byId("urls"), ["/echo", "/echo-c"]);
byId("url").value = endpoint(new URLSearchParams(location.search).get("path") || "/echo");
byId("connection").addEventListener("submit", (event) => {
  event.preventDefault();
  socket.open(byId("url").value);
});
byId("disconnect").addEventListener("click", () => socket.stop());
byId("message").addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
byId("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
});
byId("send-many").addEventListener("click", () => {
  for (let i = 0; i < 100; i++) send();
});
byId("clear").addEventListener("click", () => log.clear());
socket.open(byId("url").value);
