// The town for browser tests: builds and runs paysim, opens an agent's desk and a payer's phone in Chromium, and leaves nothing behind.
//
//   import { Town } from "./lib/town.mjs";
//   test("paid", async (t) => {
//     const town = await Town.start(t);
//     const agent = await town.desk();   // a Playwright page, 1280 wide
//     const payer = await town.phone();  // 390 × 844, touch
//     await agent.goto(town.url + "/plus/");
//     await payer.goto(await town.linkSentTo("+18045550142"));
//     await town.clock("10m", payer);    // the whole town is ten minutes later, and so is the payer's page
//   });
//
// Everything ends with the test: browsers, town (by SIGINT, which must end it with status 0) and its database. The town's log is searched
// for secrets then. Screenshots and traces go to artifacts/, which git ignores.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const root = new URL("../../", import.meta.url).pathname;
const READY_WITHIN = 20_000; // ms
const STOP_WITHIN = 15_000; // ms

// A file of tests is one process: it has one build and one browser for all its towns. No cookie is shared, since every page has a context of its own.
let building;
let browsing;
after(async () => (await browsing)?.close());

export class Town {
  /**
   * Starts a town of its own for the test t (node:test's context).
   * @param {import("node:test").TestContext} t
   * @param {{now?: string, seed?: number, linkLife?: string, faults?: string, host?: string, args?: string[]}} [options] paysim's flags; now is RFC 3339. host is "localhost" where
   * passkeys are: browsers have none for an address
   */
  static async start(t, { now = "2026-03-10T15:00:00Z", seed = 1, linkLife, faults, host = "127.0.0.1", args = [] } = {}) {
    building ??= build();
    const binary = await building;
    const dir = await mkdtemp(join(tmpdir(), "paylink-town."));
    const [port, simPort] = await freePorts(2);
    const flags = ["-addr", `${host}:${port}`, "-sim-addr", `127.0.0.1:${simPort}`, "-data", dir, "-now", now, "-seed", String(seed)];
    if (linkLife) flags.push("-link-life", linkLife);
    if (faults) flags.push("-faults", faults);
    const town = new Town(t, dir, `http://${host}:${port}`, `http://127.0.0.1:${simPort}`);
    town.#process = spawn(binary, [...flags, ...args], { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
    t.after(() => town.#end());
    await town.#ready();
    return town;
  }

  #process;
  #greeting = []; // up to the line that begins with "ready"
  #log = []; // the lines after it, and standard error
  #contexts = []; // { context, name, wrong }
  #secrets = []; // what must never be logged, as found on the way

  constructor(t, dir, url, sim) {
    this.t = t;
    this.dir = dir;
    /** The service, without a slash at the end. */
    this.url = url;
    /** The suppliers, the phone, the mail and the controls, without a slash at the end. */
    this.sim = sim;
    /** Where this test's pictures and traces go. */
    this.artifacts = join(root, "artifacts", t.name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "").slice(0, 80));
  }

  /** What the town has printed. */
  get log() {
    return [...this.#greeting, ...this.#log].join("\n");
  }

  async #ready() {
    const child = this.#process;
    const out = createInterface({ input: child.stdout });
    createInterface({ input: child.stderr }).on("line", (line) => this.#log.push(line));
    let timer;
    await new Promise((resolve, reject) => {
      const give = (why) => reject(new Error(`${why}\n${this.log}`));
      timer = setTimeout(give, READY_WITHIN, `paysim was not ready within ${READY_WITHIN} ms`);
      child.once("error", (error) => give(`paysim did not start: ${error.message}`));
      child.once("close", (code, signal) => give(`paysim ended before it was ready: ${code ?? signal}`));
      let to = this.#greeting;
      out.on("line", (line) => {
        to.push(line);
        if (line.startsWith("ready")) {
          to = this.#log;
          resolve();
        }
      });
    }).finally(() => clearTimeout(timer));
  }

  /**
   * Moves the whole town's time forward: service, Redis and simulators. by is like "90s", "10m" or "9m30s". A page counts with its browser's
   * clock: pages that called page.clock.install() before they were opened can be passed along and go forward too.
   */
  async clock(by, ...pages) {
    await this.control("clock", { advance: by });
    for (const page of pages) await page.clock.fastForward(milliseconds(by));
  }

  /** Sets what goes wrong from now on, as /control/faults takes it; without an argument, reads it. */
  async faults(json) {
    return this.control("faults", json);
  }

  /** POSTs JSON to /control/NAME, or GETs it if there is no body. */
  async control(name, body) {
    const url = `${this.sim}/control/${name}`;
    const answer = body === undefined ? await fetch(url)
      : await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    const text = await answer.text();
    assert.ok(answer.ok, `/control/${name}: ${answer.status} ${text}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  /** The texts that phones have received: {to, body, status, sent_at}, in the order in which they were sent. */
  async messages() {
    const answer = await fetch(`${this.sim}/phone/messages`);
    assert.equal(answer.status, 200, "/phone/messages");
    const messages = await answer.json();
    for (const { body } of messages) {
      const token = /#([\w-]{16,})/.exec(body)?.[1];
      if (token && !this.#secrets.includes(token)) this.#secrets.push(token);
    }
    return messages;
  }

  /** The address in the newest text to a number, once there are more than after of them; waits for it. */
  async linkSentTo(number, { after = 0, within = 20_000 } = {}) {
    return until(`a text to ${number}`, within, async () => {
      const texts = (await this.messages()).filter(({ to }) => to === number);
      if (texts.length <= after) return undefined;
      return /https?:\/\/\S+/.exec(texts.at(-1).body)?.[0];
    });
  }

  /** A page on a desk: 1280 × 900, mouse and keyboard. Options are Playwright's for a context (colorScheme, locale …). */
  async desk(options = {}) {
    return this.#page("desk", { viewport: { width: 1280, height: 900 }, ...options });
  }

  /** A page on a phone: 390 × 844, touch. Pass viewport {width: 320, height: 700} for the narrowest. */
  async phone(options = {}) {
    return this.#page("phone", { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, ...options });
  }

  // Every page has a context of its own: no cookie is shared. What goes wrong in it fails the test: an exception on a page of ours, and
  // anything that the content security policy had to stop.
  async #page(kind, options) {
    const browser = await (browsing ??= launch());
    const context = await browser.newContext({ locale: "en-US", timezoneId: "America/New_York", ...options });
    const name = `${kind}-${this.#contexts.length + 1}`;
    const wrong = [];
    this.#contexts.push({ context, name, wrong });
    await context.tracing.start({ snapshots: true });
    context.setDefaultTimeout(20_000);
    context.on("weberror", (error) => wrong.push(`uncaught on ${name}: ${error.error().message}`));
    context.on("console", (message) => {
      if (/content security policy/i.test(message.text())) wrong.push(`stopped by the policy on ${name}: ${message.text()}`);
    });
    return context.newPage();
  }

  /** Takes a full-page picture into artifacts/TEST/NAME.png. */
  async picture(page, name) {
    await mkdir(this.artifacts, { recursive: true });
    await page.screenshot({ path: join(this.artifacts, `${name}.png`), fullPage: true, animations: "disabled" });
  }

  async #end() {
    const wrong = [];
    await mkdir(this.artifacts, { recursive: true });
    try {
      await this.messages().catch(() => {}); // so that the log is searched for every token there was
      for (const { context, name, wrong: said } of this.#contexts) {
        wrong.push(...said);
        for (const page of context.pages()) await this.picture(page, `${name}-last`).catch(() => {}); // a page may be past showing anything
        await context.tracing.stop({ path: join(this.artifacts, `${name}.zip`) });
      }
    } finally {
      for (const { context } of this.#contexts) await context.close();
      wrong.push(...(await this.#stop()));
      wrong.push(...leaks(this.#log.join("\n"), this.#secrets));
      if (this.#log.some((line) => /\bpanic\b/.test(line))) wrong.push("the service panicked: see town.log");
      await writeFile(join(this.artifacts, "town.log"), this.log + "\n");
      await rm(this.dir, { recursive: true, force: true });
    }
    assert.deepEqual(wrong, []);
  }

  async #stop() {
    const child = this.#process;
    if (child.pid === undefined) return []; // never started, and said so
    if (child.exitCode !== null || child.signalCode !== null) return [`paysim had ended before the test: ${child.exitCode ?? child.signalCode}`];
    const closed = once(child, "close");
    child.kill("SIGINT");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_WITHIN);
    const [code, signal] = await closed;
    clearTimeout(timer);
    return code === 0 ? [] : [`paysim did not stop cleanly on SIGINT: ${code ?? signal}`];
  }
}

/**
 * What axe-core finds wrong on a page, frames included, as short lines; an empty list is what one wants. axe arrives by the debugging
 * protocol, in a world of its own beside the page's, so the page's content security policy stays as strict as it is.
 * @param {import("playwright-core").Page} page
 * @returns {Promise<string[]>}
 */
export async function axe(page, tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]) {
  const { default: { source } } = await import("axe-core");
  const session = await page.context().newCDPSession(page);
  try {
    const { frameTree } = await session.send("Page.getFrameTree");
    const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
    const run = async (expression, awaitPromise = false) => {
      const { result, exceptionDetails } = await session.send("Runtime.evaluate", { expression, contextId, awaitPromise, returnByValue: true });
      if (exceptionDetails) throw new Error(`axe: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
      return result.value;
    };
    await run(source + "\n;undefined");
    // Frames of another origin can't be entered from here, and a rule waiting for them would wait for ever: each is tested as a page.
    const options = { runOnly: { type: "tag", values: tags }, iframes: false, resultTypes: ["violations"] };
    const violations = await run(`axe.run(document, ${JSON.stringify(options)}).then((r) => r.violations)`, true);
    return violations.flatMap(({ id, help, nodes }) => nodes.map(({ target, failureSummary }) =>
      `${id}: ${help}: ${target.join(" ")}: ${failureSummary.replace(/\s+/g, " ")}`));
  } finally {
    await session.detach();
  }
}

/** Asks until it gets an answer that is neither undefined nor false, or fails after within milliseconds, naming what it waited for. */
export async function until(what, within, ask) {
  const end = Date.now() + within;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > end) throw new Error(`waited ${within} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What of a log must not be there: link tokens that were texted, card numbers, keys, client secrets, full telephone numbers. */
export function leaks(log, tokens = []) {
  const forbidden = [
    ["a card number", /(?<![\w.-])(?:4\d{15}|5[1-5]\d{14}|3[47]\d{13})(?![\w.-])/],
    ["a Stripe key", /\b(?:sk|rk)_(?:test|live)_\w+/],
    ["a webhook secret", /\bwhsec_\w+/],
    ["a client secret", /\b(?:pi|seti)_\w+_secret_\w+/],
    ["a telephone number", /\+1\d{3}55501\d\d\b/],
    ["a link's token in an address", /\/p#[\w-]{16,}/],
    ["a code of the company's sign-in", /[?&]code=[\w-]{8,}/],
    ["an authenticator app's key", /otpauth:/],
  ];
  const found = forbidden.filter(([, pattern]) => pattern.test(log)).map(([what]) => `the log holds ${what}`);
  if (tokens.some((token) => log.includes(token))) found.push("the log holds the token of a link that was texted");
  return found;
}

// Without the race detector, which the Go tests run with: here it would make everything slow in the browser's eyes.
async function build() {
  const binary = join(root, "bin", "paysim");
  await promisify(execFile)("go", ["build", "-o", binary, "./cmd/paysim"], { cwd: root });
  return binary;
}

// What Chromium leaves out: first what Playwright leaves out (the last list that is given counts, so that its own is repeated here), then two pages
// of the browser's own window, which nobody sees and which cost every phone and desk a second of processor time.
const withoutFeatures = ["AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades", "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter",
  "PaintHolding", "ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch",
  "WebUIOmniboxPopup", "WebUIOmniboxAimPopup"];

/** Starts Debian's Chromium without anything that would call out. The caller closes it. */
export function launch() {
  return chromium.launch({
    executablePath: browserPath(),
    ignoreDefaultArgs: ["--disable-back-forward-cache"], // people have one
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", `--disable-features=${withoutFeatures}`],
  });
}

// milliseconds of a duration as Go writes it, in hours, minutes and seconds: "9m30s".
function milliseconds(duration) {
  const parts = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(duration);
  assert.ok(parts && duration !== "", `not a duration: ${duration}`);
  const [hours, minutes, seconds] = parts.slice(1).map((n) => Number(n ?? 0));
  return ((hours * 60 + minutes) * 60 + seconds) * 1000;
}

function browserPath() {
  if (process.env.PAYLINK_CHROMIUM) return process.env.PAYLINK_CHROMIUM;
  for (const dir of process.env.PATH.split(delimiter)) {
    for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
      if (existsSync(join(dir, name))) return join(dir, name);
    }
  }
  throw new Error("no chromium on the PATH (Debian package chromium; or set PAYLINK_CHROMIUM)");
}

async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return server;
  }));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => promisify(server.close.bind(server))()));
  return ports;
}
