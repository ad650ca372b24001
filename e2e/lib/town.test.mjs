// The harness itself: what it is relied on to notice, it notices.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import test from "node:test";
import { axe, launch, leaks, until } from "./town.mjs";

test("a secret in a log is noticed, and what only looks like one is not", () => {
  const bad = [
    "card 4242424242424242", "5555555555554444", "key sk_test_abc", "rk_live_x", "whsec_abc", "pi_1_secret_2", "seti_1_secret_2",
    "to=+18045550142", "GET /p#abcdefghijklmnopqrstuv",
  ];
  for (const line of bad) assert.equal(leaks(line).length, 1, line);
  assert.deepEqual(leaks("sent thetoken", ["thetoken"]), ["the log holds the token of a link that was texted"]);
  const good = ["pk_test_abc", "to=+1•••0142", "pi_3abc", "GET /p 200", "took 4242424242ns", "id 01939f4242424242424242"];
  for (const line of good) assert.deepEqual(leaks(line), [], line);
});

test("until fails with the name of what it waited for", async () => {
  await assert.rejects(until("nothing", 60, () => undefined), /waited 60 ms for nothing/);
  assert.equal(await until("zero", 60, () => 0), 0);
});

test("axe works past the strictest policy, which stays in force", async (t) => {
  const page = await open(t, `<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1><input></main></html>`);
  const found = await axe(page);
  assert.equal(found.length, 1, found.join("\n"));
  assert.match(found[0], /^label: /);
  assert.equal(await page.evaluate(() => typeof window.axe), "undefined", "axe is in the page's own world");
});

test("axe has nothing to say of a good page", async (t) => {
  const page = await open(t, `<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1><label>Name <input></label></main></html>`);
  assert.deepEqual(await axe(page), []);
});

async function open(t, html) {
  const server = createServer((_, answer) => {
    answer.writeHead(200, { "Content-Type": "text/html", "Content-Security-Policy": "default-src 'none'; require-trusted-types-for 'script'" });
    answer.end(html);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const browser = await launch();
  t.after(async () => {
    await browser.close();
    server.close();
  });
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  return page;
}
