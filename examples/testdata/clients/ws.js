// node ws: echoes of every size and kind, against the URL given.
"use strict";
const path = require("path");
const WebSocket = require(path.join(__dirname, "../node/node_modules/ws"));

const messages = [Buffer.from("text"), Buffer.alloc(0)];
for (const size of [125, 126, 65535, 65536, 1 << 20]) messages.push(Buffer.alloc(size, "x"));
const cases = messages.flatMap((m) => [{ data: m, binary: false }, { data: m, binary: true }]);

const ws = new WebSocket(process.argv[2], { perMessageDeflate: true });
let i = 0;
const next = () => {
  if (i < cases.length) {
    ws.send(cases[i].data, { binary: cases[i].binary });
  } else {
    ws.send("frag", { fin: false });
    ws.send("men", { fin: false });
    ws.send("ted", { fin: true });
  }
};
ws.on("open", () => {
  if (ws.extensions !== "") throw new Error("an extension was accepted: " + ws.extensions);
  next();
});
ws.on("message", (data, isBinary) => {
  if (i === cases.length) {
    if (data.toString() !== "fragmented") throw new Error("fragments came back as " + data);
    ws.close(1000);
    return;
  }
  const want = cases[i++];
  if (isBinary !== want.binary || !data.equals(want.data)) throw new Error("message " + i + " came back changed");
  next();
});
ws.on("close", (code) => {
  if (code !== 1000 || i !== cases.length) throw new Error("closed with " + code + " after " + i);
  console.log("ok");
});
setTimeout(() => { throw new Error("no answer in time, at message " + i); }, 20000).unref();
