// The dumb-increment page.
"use strict";

const byId = (id) => document.getElementById(id);
let messages = 0;
let last = 0;
let mean = 0;
let jitter = 0;

const socket = new Socket({
  state(state, detail) {
    showState(byId("state"), state, detail);
    byId("reset").disabled = byId("close").disabled = state !== "open";
    last = 0;
  },
  message(data) {
    messages++;
    byId("messages").textContent = messages;
    byId("counter").textContent = data;
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

byId("url").value = endpoint(new URLSearchParams(location.search).get("path") || "/dumb-increment");
byId("connection").addEventListener("submit", (event) => {
  event.preventDefault();
  socket.open(byId("url").value, "dumb-increment-protocol");
});
byId("reset").addEventListener("click", () => socket.send("reset\n"));
byId("close").addEventListener("click", () => socket.send("closeme\n"));
socket.open(byId("url").value, "dumb-increment-protocol");
