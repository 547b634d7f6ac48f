// An echo server on bun's own WebSocket server: no compression, its corking of
// what a callback sends as it is. First argument: 127.0.0.1:PORT.
const [hostname, port] = process.argv[2].split(":");
Bun.serve({
  hostname,
  port: Number(port),
  fetch(request, server) {
    if (server.upgrade(request)) return;
    return new Response("WebSocket only", { status: 400 });
  },
  websocket: {
    perMessageDeflate: false,
    maxPayloadLength: 64 << 20,
    backpressureLimit: 64 << 20,
    sendPings: false,
    idleTimeout: 0,
    message(ws, message) {
      ws.send(message);
    },
  },
});
