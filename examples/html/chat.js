// The chat page.
"use strict";

const byId = (id) => document.getElementById(id);
const log = new Log(byId("log"), 500);

// showHere shows who is in the room.
function showHere(names) {
  byId("here").textContent = names.length > 0 ? names.join(", ") : "nobody";
}

const socket = new Socket({
  state(state, detail) {
    showState(byId("state"), state, detail);
    byId("send").disabled = state !== "open";
    byId("disconnect").disabled = !socket.wanted;
    if (state !== "open") showHere([]);
  },
  message(data) {
    const m = JSON.parse(data);
    if (m.here) showHere(m.here);
    if (m.came !== undefined) log.add("note", m.came, "", "has come");
    if (m.went !== undefined) log.add("note", m.went, "", "has gone");
    if (m.text !== undefined) log.add(m.from === byId("name").value ? "out" : "in", m.from, sizeOf(m.text), m.text);
  },
});

// enter connects under the name that stands in the field.
function enter() {
  const name = byId("name").value;
  if (name) socket.open(endpoint("/chat?name=" + encodeURIComponent(name)));
}

byId("connection").addEventListener("submit", (event) => {
  event.preventDefault();
  enter();
});
byId("message").addEventListener("submit", (event) => {
  event.preventDefault();
  socket.send(byId("text").value);
  byId("text").value = "";
});
byId("disconnect").addEventListener("click", () => socket.stop());
byId("clear").addEventListener("click", () => log.clear());
byId("name").value = new URLSearchParams(location.search).get("name") || "";
enter();
