// A WebSocket that a page can watch: it tells its state, connects again with a
// growing pause when it was lost, and stops when it is told to.
"use strict";

class Socket {
  constructor(handlers) {
    this.handlers = handlers;
    this.ws = null;
    this.timer = 0;
    this.attempt = 0;
  }

  // open connects to a URL; protocols may be undefined.
  open(url, protocols) {
    this.stop();
    this.url = url;
    this.protocols = protocols;
    this.wanted = true;
    this.connect();
  }

  connect() {
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
      if (ws !== this.ws) return;
      this.ws = null;
      const why = "code " + event.code + (event.reason ? ", " + event.reason : "");
      if (!this.wanted || event.code === 1000 || event.code === 1005) {
        this.wanted = false;
        this.tell("closed", why);
        return;
      }
      const pause = Math.min(500 * 2 ** this.attempt++, 15000);
      this.tell("closed", why + "; next try in " + pause / 1000 + " s");
      this.timer = setTimeout(() => this.connect(), pause);
    };
  }

  get isOpen() {
    return this.ws !== null && this.ws.readyState === WebSocket.OPEN;
  }

  send(data) {
    if (this.isOpen) this.ws.send(data);
  }

  // stop closes, and does not come back.
  stop() {
    this.wanted = false;
    clearTimeout(this.timer);
    if (this.ws) this.ws.close(1000);
  }

  tell(state, detail) {
    this.handlers.state(state, detail);
  }
}

// endpoint is the WebSocket URL of a path on the server that sent the page.
function endpoint(path) {
  return (location.protocol === "https:" ? "wss://" : "ws://") + location.host + path;
}

// showState shows a state in the element that is there for it.
function showState(element, state, detail) {
  element.dataset.state = state;
  element.textContent = { connecting: "Connecting", open: "Connected", closed: "Closed" }[state] + (detail ? " (" + detail + ")" : "");
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
