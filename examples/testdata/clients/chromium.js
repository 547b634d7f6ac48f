// Chromium: loads a page, waits until a condition holds in it, clicks, and
// waits again. usage: node chromium.js CHROMIUM [--FLAG...] STEP...
// Each STEP is an expression that is evaluated in the page until it is true, or
// "go URL", "press KEY", "press Control+KEY". What the page's security policy
// forbids is a failure, as is an exception.
"use strict";
const { spawn } = require("child_process");
const fs = require("fs");
const os = require("os");
const path = require("path");
const WebSocket = require(path.join(__dirname, "../node/node_modules/ws"));

const [, , chromium, ...words] = process.argv;
const flags = words.filter((word) => word.startsWith("--"));
const steps = words.filter((word) => !word.startsWith("--"));
const profile = fs.mkdtempSync(path.join(os.tmpdir(), "wshttpd-chromium-"));
const browser = spawn(chromium, [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-breakpad", "--remote-debugging-port=0",
  "--user-data-dir=" + profile, ...flags, "about:blank",
], { detached: true, stdio: ["ignore", "ignore", "pipe"], env: { ...process.env, TMPDIR: profile } });
let done = false;
const finish = (code, text) => {
  if (done) return;
  done = true;
  console.log(text);
  browser.on("exit", () => remove(20, () => process.exit(code)));
  killGroup();
};
// The whole group, because the browser's other processes would go on writing.
const killGroup = () => {
  try {
    process.kill(-browser.pid, "SIGKILL");
  } catch (error) {
    // It has ended already.
  }
};
// Whoever started us may be gone, and our output with it: the browser must
// not stay behind.
process.stdout.on("error", () => {});
process.on("exit", killGroup);
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => finish(1, "ended by " + signal));
setTimeout(() => finish(1, "no end in time"), 110000).unref();

// remove removes the profile, to which a process that is ending may still be
// writing.
function remove(attempts, then) {
  try {
    fs.rmSync(profile, { recursive: true, force: true });
    then();
  } catch (error) {
    if (attempts === 0) then();
    else setTimeout(() => remove(attempts - 1, then), 100);
  }
}

let banner = "";
browser.stderr.on("data", (chunk) => {
  banner += chunk;
  const found = /DevTools listening on (ws:\S+)/.exec(banner);
  if (found) {
    browser.stderr.removeAllListeners("data");
    browser.stderr.resume();
    drive(found[1]).catch((error) => finish(1, error.stack));
  }
});

async function drive(endpoint) {
  const ws = new WebSocket(endpoint);
  await new Promise((resolve, reject) => ws.once("open", resolve).once("error", reject));
  const waiting = new Map();
  const errors = [];
  let id = 0;
  ws.on("message", (text) => {
    const message = JSON.parse(text);
    if (message.method === "Runtime.exceptionThrown") errors.push(message.params.exceptionDetails.exception?.description || message.params.exceptionDetails.text);
    if (message.method === "Log.entryAdded" && message.params.entry.source === "security") errors.push(message.params.entry.text);
    if (waiting.has(message.id)) {
      waiting.get(message.id)(message.result || {});
      waiting.delete(message.id);
    }
  });
  const call = (method, params, sessionId) => new Promise((resolve) => {
    waiting.set(++id, resolve);
    ws.send(JSON.stringify({ id, method, params, sessionId }));
  });
  const { targetId } = await call("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await call("Target.attachToTarget", { targetId, flatten: true });
  await call("Runtime.enable", {}, sessionId);
  await call("Log.enable", {}, sessionId);
  await call("Page.enable", {}, sessionId);
  const press = async (control, key) => {
    const event = { key, code: key.length === 1 ? "Key" + key.toUpperCase() : key, modifiers: control ? 2 : 0 };
    if (key.length === 1 && !control) event.text = key;
    await call("Input.dispatchKeyEvent", { type: "keyDown", ...event }, sessionId);
    await call("Input.dispatchKeyEvent", { type: "keyUp", ...event }, sessionId);
  };
  for (let step of steps) {
    const page = /^go (\S+)$/.exec(step);
    if (page) {
      await call("Page.navigate", { url: page[1] }, sessionId);
      step = "location.href === " + JSON.stringify(page[1]) + " && document.readyState === 'complete'";
    }
    const key = /^press (Control\+)?(\w+)$/.exec(step);
    if (key) {
      await press(key[1], key[2]);
      continue;
    }
    const until = Date.now() + 40000;
    for (;;) {
      const { result } = await call("Runtime.evaluate", { expression: step, returnByValue: true }, sessionId);
      if (result && result.value === true) break;
      if (errors.length) return finish(1, "the page failed: " + errors.join("; "));
      if (Date.now() > until) {
        const shown = await call("Runtime.evaluate", { expression: "document.body.innerText.slice(0, 1500) + JSON.stringify({falls: window.falls, former: window.former, hidden: document.hidden})", returnByValue: true }, sessionId);
        return finish(1, "never true: " + step + "\nthe page shows:\n" + shown.result?.value);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  if (errors.length) return finish(1, "the page failed: " + errors.join("; "));
  finish(0, "ok");
}
