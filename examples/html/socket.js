// A WebSocket that a page can watch: it tells its state, connects again with a
// growing pause when it was lost, and stops when it is told to.
"use strict";

class Socket {
  constructor(handlers) {
    this.handlers = handlers;
    this.ws = null;
    this.timer = 0; // of the next attempt, 0 when none is due
    this.attempt = 0;
    this.wanted = false;
  }

  // open connects to a URL; protocols may be undefined.
  open(url, protocols) {
    this.cancel();
    const former = this.ws;
    this.ws = null; // what the former one still tells is of no interest
    if (former) former.close(1000);
    this.url = url;
    this.protocols = protocols;
    this.attempt = 0;
    this.wanted = true;
    this.connect();
  }

  connect() {
    this.timer = 0;
    this.tell("connecting", "");
    let ws;
    try {
      ws = this.protocols ? new WebSocket(this.url, this.protocols) : new WebSocket(this.url);
    } catch (error) {
      this.wanted = false;
      this.tell("closed", error.message);
      return;
    }
    this.ws = ws;
    ws.binaryType = "arraybuffer";
    ws.onopen = () => {
      if (ws !== this.ws) return;
      this.attempt = 0;
      this.tell("open", ws.protocol);
    };
    ws.onmessage = (event) => {
      if (ws === this.ws) this.handlers.message(event.data);
    };
    ws.onclose = (event) => {
      if (ws === this.ws) this.lost(event);
    };
  }

  // lost tries again, unless one of the two sides wanted the end.
  lost(event) {
    this.ws = null;
    const why = "code " + event.code + (event.reason ? ", " + event.reason : "");
    if (!this.wanted || event.code === 1000 || event.code === 1005) {
      this.wanted = false;
      this.tell("closed", why);
      return;
    }
    const pause = Math.min(500 * 2 ** this.attempt++, 15000);
    this.timer = setTimeout(() => this.connect(), pause);
    this.tell("closed", why + "; next try in " + pause / 1000 + " s");
  }

  get isOpen() {
    return this.ws !== null && this.ws.readyState === WebSocket.OPEN;
  }

  send(data) {
    if (this.isOpen) this.ws.send(data);
  }

  // stop closes, and does not come back.
  stop() {
    const due = this.timer !== 0;
    this.cancel();
    this.wanted = false;
    if (this.ws) {
      this.tell("closing", "");
      this.ws.close(1000);
    } else if (due) {
      this.tell("closed", "no further try");
    }
  }

  cancel() {
    clearTimeout(this.timer);
    this.timer = 0;
  }

  tell(state, detail) {
    this.handlers.state(state, detail);
  }
}

// endpoint is the WebSocket URL of a path on the server that sent the page.
function endpoint(path) {
  return (location.protocol === "https:" ? "wss://" : "ws://") + location.host + path;
}

// offer puts the URLs of some paths into a datalist.
function offer(list, paths) {
  for (const path of paths) {
    const option = document.createElement("option");
    option.value = endpoint(path);
    list.append(option);
  }
}

const stateNames = { connecting: "Connecting", open: "Connected", closing: "Closing", closed: "Closed" };

// showState shows a state in the element that is there for it.
function showState(element, state, detail) {
  element.dataset.state = state;
  element.textContent = stateNames[state] + (detail ? " (" + detail + ")" : "");
}

// sizeOf is the size of a message's payload.
function sizeOf(data) {
  return (typeof data === "string" ? new TextEncoder().encode(data).length : data.byteLength) + " B";
}

// show is a message for people: bytes are shown in hexadecimal, 64 at most.
function show(data) {
  if (typeof data === "string") return data;
  const bytes = [...new Uint8Array(data, 0, Math.min(data.byteLength, 64))];
  return bytes.map((b) => b.toString(16).padStart(2, "0")).join(" ") + (data.byteLength > 64 ? " …" : "");
}

// Log is a table of the latest messages, newest first.
class Log {
  constructor(body, limit) {
    this.body = body;
    this.limit = limit;
  }

  add(kind, direction, size, text) {
    const row = this.body.insertRow(0);
    row.className = kind;
    const time = new Date();
    const stamp = time.toTimeString().slice(0, 8) + "." + String(time.getMilliseconds()).padStart(3, "0");
    for (const value of [stamp, direction, size, text.length > 400 ? text.slice(0, 400) + "…" : text]) {
      row.insertCell().textContent = value;
    }
    while (this.body.rows.length > this.limit) this.body.deleteRow(-1);
  }

  clear() {
    this.body.replaceChildren();
  }
}
