// node websocket: echoes of every size and kind, against the URL given.
"use strict";
const path = require("path");
const { client: Client } = require(path.join(__dirname, "../node/node_modules/websocket"));

const sizes = [4, 0, 125, 126, 65535, 65536, 1 << 20];
const client = new Client({ maxReceivedMessageSize: 4 << 20, maxReceivedFrameSize: 4 << 20, fragmentationThreshold: 16384 });
client.on("connectFailed", (error) => { throw error; });
client.on("connect", (connection) => {
  let i = 0;
  const next = () => {
    const size = sizes[i >> 1];
    if (i & 1) connection.sendBytes(Buffer.alloc(size, 7));
    else connection.sendUTF("x".repeat(size));
  };
  connection.on("message", (message) => {
    const size = sizes[i >> 1];
    const good = i & 1 ? message.type === "binary" && message.binaryData.equals(Buffer.alloc(size, 7))
      : message.type === "utf8" && message.utf8Data === "x".repeat(size);
    if (!good) throw new Error("message " + i + " came back changed");
    if (++i === 2 * sizes.length) connection.close(1000);
    else next();
  });
  connection.on("close", (code) => {
    if (code !== 1000 || i !== 2 * sizes.length) throw new Error("closed with " + code + " after " + i);
    console.log("ok");
  });
  next();
});
client.connect(process.argv[2]);
setTimeout(() => { throw new Error("no answer in time"); }, 20000).unref();
