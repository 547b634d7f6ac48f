// An echo server on ws for node, with bufferutil, its optional native part for
// masking, and without compression. First argument: 127.0.0.1:PORT.
import { WebSocketServer } from "ws";

const [host, port] = process.argv[2].split(":");
const server = new WebSocketServer({
  host,
  port: Number(port),
  backlog: 4096,
  perMessageDeflate: false,
  maxPayload: 64 << 20,
  clientTracking: false,
});
server.on("connection", (ws) => {
  ws.on("message", (data, binary) => ws.send(data, { binary }));
  ws.on("error", () => {});
});
