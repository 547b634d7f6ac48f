// The dumb-increment page.
"use strict";

const byId = (id) => document.getElementById(id);
const log = new Log(byId("log"), 200);
let messages = 0;
let last = 0; // when the latest number came; 0: none on this connection
let mean = 0;
let jitter = 0;

const socket = new Socket({
  state(state, detail) {
    showState(byId("state"), state, detail);
    log.add("note", state, "", detail);
    byId("reset").disabled = byId("close").disabled = state !== "open";
    byId("disconnect").disabled = !socket.wanted;
    last = 0;
  },
  message(data) {
    messages++;
    byId("messages").textContent = messages;
    byId("counter").textContent = data;
    log.add("in", "received", sizeOf(data), show(data));
    const now = performance.now();
    if (last) {
      const gap = now - last;
      mean = mean ? mean + (gap - mean) / 16 : gap;
      jitter += (Math.abs(gap - mean) - jitter) / 16;
      byId("interval").textContent = mean.toFixed(0) + " ms";
      byId("jitter").textContent = jitter.toFixed(1) + " ms";
    }
    last = now;
  },
});

// command sends one of the two that the protocol knows.
function command(text) {
  if (!socket.isOpen) return;
  socket.send(text);
  log.add("out", "sent", sizeOf(text), text.trim());
}

offer(byId("urls"), ["/dumb-increment", "/dumb-increment-c"]);
byId("url").value = endpoint(new URLSearchParams(location.search).get("path") || "/dumb-increment");
byId("connection").addEventListener("submit", (event) => {
  event.preventDefault();
  socket.open(byId("url").value, "dumb-increment-protocol");
});
byId("disconnect").addEventListener("click", () => socket.stop());
byId("reset").addEventListener("click", () => command("reset\n"));
byId("close").addEventListener("click", () => command("closeme\n"));
byId("clear").addEventListener("click", () => log.clear());
document.addEventListener("keydown", (event) => {
  const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat;
  if (event.key === "r" && isPlain && event.target !== byId("url")) command("reset\n");
});
socket.open(byId("url").value, "dumb-increment-protocol");
