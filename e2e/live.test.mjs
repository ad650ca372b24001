// What changes while an agent looks at a client's page, whoever changes it: shown without a reload, with and without a stream, and after every kind of break.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import test from "node:test";
import { Agent, charged, DECLINED, NO_FUNDS, Payer, seen, VISA } from "./lib/people.mjs";
import { axe, Town, until } from "./lib/town.mjs";

/** What the page asks for by itself, by the last part of its address. */
function listens(page) {
  const asked = { live: 0, status: 0 };
  page.on("request", (request) => {
    const name = new URL(request.url()).pathname.split("/").at(-1);
    if (name in asked) asked[name]++;
  });
  return asked;
}

/** A way to an address that can be cut: cut() breaks every connection on it, as a network does that changes. */
async function wire(t, to) {
  const open = new Set();
  const server = createServer((near) => {
    const far = connect(Number(new URL(to).port), "127.0.0.1");
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one);
      one.on("error", () => {}).on("close", () => { open.delete(one); other.destroy(); }).pipe(other);
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = () => { for (const one of open) one.destroy(); };
  t.after(() => { server.close(); cut(); });
  return { url: `http://127.0.0.1:${server.address().port}`, cut };
}

/** Whether somebody looks at the page, as the browser tells it. */
const looks = (page, is) => page.evaluate((is) => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => !is });
  document.dispatchEvent(new Event("visibilitychange"));
}, is);

test("a link that somebody else sends is followed without a reload, through every break", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const lead = await Agent.at(town, { login: "lead" });
  const { page } = agent;
  const between = await wire(t, town.url);
  agent.town = { url: between.url };
  const asked = listens(page);
  await agent.sees("100042");
  await page.evaluate(() => { window.sameDocument = true; });
  const figures = page.getByRole("main").locator("dl").first();
  const before = await figures.innerText();

  const link = await lead.sends({ client: "100042" });
  await agent.status.waitFor();
  await agent.reads("Delivered");
  await seen(page.locator("#live"), "A payment for this client is under way.", 5000);
  assert.equal(await page.evaluate(() => document.activeElement === document.body), true, "the focus was taken away");
  const payer = await Payer.opens(town, link);
  await agent.reads("The payer has opened the link.");
  assert.equal(asked.status, 0, "it polls, though it has a stream");
  await agent.reads(/\d:\d\d left/);

  await t.test("the connection breaks", async () => {
    const before = asked.live;
    between.cut();
    await until("the browser to come back", 5000, async () => asked.live > before);
    await payer.fills({ number: NO_FUNDS });
    await payer.presses();
    await agent.reads("declined (1 of 5)", 5000);
    assert.doesNotMatch(await agent.status.innerText(), /Reconnecting/, "so short a break is not worth a word");
  });
  await t.test("nobody looks for a while", async () => {
    await looks(page, false);
    await payer.reads(/4 /); // tries left
    await payer.types({ number: DECLINED });
    await payer.presses();
    await lead.reads("declined (2 of 5)");
    assert.doesNotMatch(await agent.status.innerText(), /2 of 5/, "it goes on while nobody looks");
    await looks(page, true);
    await agent.reads("declined (2 of 5)", 3000);
  });
  await t.test("no stream can be had", async () => {
    await page.route("**/live?*", (route) => route.fulfill({ status: 503 }));
    await looks(page, false);
    await looks(page, true);
    await until("a stream to be refused", 5000, async () => asked.live > 2);
    await lead.presses("Resend");
    await agent.reads("Replaced by a new link");
    assert.ok(asked.status > 0, "it does not poll");
    await page.unroute("**/live?*");
    await looks(page, false);
    const stream = page.waitForResponse((answer) => answer.url().includes("/live?") && answer.ok());
    await looks(page, true);
    await stream;
  });
  await t.test("the connection is gone while the payer pays", async () => {
    await page.context().setOffline(true);
    between.cut();
    await agent.reads("Reconnecting…");
    await town.picture(page, "agent-reconnecting");
    const again = await Payer.opens(town, await town.linkSentTo("+18045550142", { after: 1 }));
    await again.pays({ number: VISA });
    await page.context().setOffline(false);
    await agent.reads("Paid $98.58", 5000);
    assert.doesNotMatch(await agent.status.innerText(), /Reconnecting/);
    await until("the client's figures to follow", 5000, async () => (await figures.innerText()) !== before);
    assert.equal(await page.evaluate(() => window.sameDocument), true, "the page was loaded again");
    await charged(town, { amount: 9858 });
  });
  await t.test("the session ends", async () => {
    const other = await page.context().newPage();
    await other.goto(town.url + "/plus/");
    await other.getByRole("button", { name: "Sign out" }).click();
    await agent.reads("You are signed out.");
    await agent.status.getByRole("link", { name: "Sign in to go on" }).waitFor();
  });
});

test("the card processor does not answer: nothing can be sent, the page says so, and says by itself when it is back", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const down = (page) => page.getByText("The card processor does not answer just now.").filter({ visible: true });
  const other = new Agent(town, await agent.page.context().newPage());
  await other.sees("100042");
  await agent.quotes({ client: "100043", vehicle: "veh_marcus_f150" });
  await town.faults({ stripe: { rules: [{ op: "any", kind: "down_503" }] } });
  await agent.presses("Send Message"); // of which nobody can know yet
  await agent.status.waitFor();
  await down(other.page).waitFor({ timeout: 30_000 }); // under the button
  await other.quotes({ client: "100042" });
  await seen(other.summary, "No link can be sent while the card processor does not answer.");
  assert.equal(await other.page.getByRole("button", { name: "Send Message" }).count(), 0);
  assert.deepEqual(await axe(other.page), []);
  await town.picture(other.page, "agent-processor-down");
  await town.faults({ stripe: { rules: [] } });
  await other.page.getByRole("button", { name: "Send Message" }).waitFor({ timeout: 15_000 });
  await down(other.page).waitFor({ state: "hidden" });
  await other.presses("Send Message");
  await other.reads("Delivered");
});
