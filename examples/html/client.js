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
    const open = state === "open";
    byId("send").disabled = byId("send-many").disabled = !open;
    byId("disconnect").disabled = !socket.wanted && !open;
    if (!open) waiting.length = 0;
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

function sizeOf(data) {
  return (typeof data === "string" ? new TextEncoder().encode(data).length : data.byteLength) + " B";
}

function show(data) {
  if (typeof data === "string") return data;
  const bytes = [...new Uint8Array(data, 0, Math.min(data.byteLength, 64))];
  return bytes.map((b) => b.toString(16).padStart(2, "0")).join(" ");
}

function send() {
  if (!socket.isOpen) return;
  const text = byId("text").value;
  const data = byId("binary").checked ? new TextEncoder().encode(text) : text;
  waiting.push(performance.now());
  socket.send(data);
  sent++;
  byId("sent").textContent = sent;
  log.add("out", "sent", sizeOf(data), typeof data === "string" ? data : show(data.buffer));
}

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
