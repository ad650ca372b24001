// What goes wrong between a payer and their money: a bank that does not answer, a network that goes away, a browser that blocks things.
// Nobody is told "not charged" while a charge may still come, and nobody is asked to pay twice.
import assert from "node:assert/strict";
import test from "node:test";
import { Agent, charged, charges, Payer, seen, VISA } from "./lib/people.mjs";
import { Town, until } from "./lib/town.mjs";

const CHECKING = "We are checking with the bank";

test("the bank's answer is lost and no event comes: checking, then the receipt, paid once", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const link = await agent.sends({ client: "100042" });
  const payer = await Payer.opens(town, link);
  await payer.fills({ number: VISA });
  const webhooks = { off: true };
  const [{ id: object }] = Object.values((await town.control("stripe/books")).accounts).flatMap(({ intents }) => intents ?? []);
  await town.faults({ stripe: { webhooks, rules: [{ op: "confirm", kind: "timeout_after", times: 1 }, { op: "retrieve", kind: "down_503", rate: 1, object }] } });
  await payer.presses();
  await payer.gets(CHECKING, 30_000); // the service waits ten seconds for an answer
  await payer.reads("Do not pay again.");
  await payer.cannotPay();
  await town.picture(payer.page, "payer-checking");
  await agent.reads("We are checking with the bank. Do not pay again.");
  await agent.reads("Do not take another payment.");
  await town.picture(agent.page, "agent-checking");
  await charged(town, { amount: 9858 }); // which nobody here knows yet
  await payer.page.reload();
  await payer.gets(CHECKING);
  const other = await Payer.opens(town, link);
  await other.gets("This payment is being made right now");
  await town.faults({ stripe: { webhooks, rules: [] } });
  await town.clock("10s"); // the next look is due
  await payer.gets("Payment received");
  await other.gets("This payment has already been made");
  await agent.reads("Paid $98.58");
  await charged(town, { amount: 9858 });
});

test("Stripe is down while the payer presses: checking, and the payment is made once it is back", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const payer = await Payer.opens(town, await agent.sends({ client: "100042" }));
  await payer.fills({ number: VISA });
  await town.faults({ stripe: { rules: [{ op: "confirm", kind: "down_503", rate: 1 }] } });
  await payer.presses();
  await payer.gets(CHECKING);
  await agent.reads("We are checking with the bank.");
  assert.deepEqual(await charges(town), []);
  await town.faults({ stripe: { rules: [] } });
  await town.clock("10s");
  await payer.gets("Payment received");
  await agent.reads("Paid $98.58");
  await charged(town, { amount: 9858 });
});

test("Stripe stays down until the link's time is over: expired, and nothing was taken", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const payer = await Payer.opens(town, await agent.sends({ client: "100042" }));
  await payer.fills({ number: VISA });
  await town.faults({ stripe: { rules: [{ op: "confirm", kind: "down_503", rate: 1 }, { op: "cancel", kind: "down_503", rate: 1 }] } });
  await payer.presses();
  await payer.gets(CHECKING);
  await town.clock("11m");
  await payer.page.reload();
  await payer.gets(CHECKING); // until the cancel is answered, nobody can say that nothing was taken
  await agent.reads("We are checking with the bank.");
  await town.faults({ stripe: { rules: [] } });
  await town.clock("20s");
  await payer.gets("This link has expired");
  await payer.reads("No payment was taken.");
  await agent.reads("The link has expired. No payment was taken.");
  await charged(town);
});

test("Stripe can't be asked about the card: nothing is charged, and the payer tries again", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const payer = await Payer.opens(town, await agent.sends({ client: "100042" }));
  await payer.fills({ number: VISA });
  const api = `${town.sim}/v1/payment_methods**`;
  await payer.page.context().route(api, (route) => route.abort());
  await payer.presses();
  await payer.reads("We could not reach the card service. Nothing was charged. Check your connection and try again.");
  await town.picture(payer.page, "payer-card-service-away");
  await payer.page.context().unroute(api);
  await payer.presses(); // the card is still there
  await payer.gets("Payment received");
  await charged(town, { amount: 9858 });
});

test("offline before pressing, and offline while the answer is on its way", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const payer = await Payer.opens(town, await agent.sends({ client: "100042" }));
  const network = payer.page.context();
  await payer.fills({ number: VISA });
  await network.setOffline(true);
  await payer.reads("You are offline. Nothing is sent until you are connected again.");
  await payer.presses();
  await payer.reads("You are offline.");
  await town.picture(payer.page, "payer-offline");
  await network.setOffline(false);
  await until("the notice to go", 5000, async () => !/You are offline/.test(await payer.page.locator("body").innerText()));
  assert.deepEqual(await charges(town), []);

  // The charge reaches us, and its answer finds nobody.
  await payer.page.route("**/pay/charge", async (route) => {
    await route.fetch();
    await network.setOffline(true);
    await route.abort("internetdisconnected");
  });
  await payer.presses();
  await payer.gets(CHECKING);
  await agent.reads("Paid $98.58");
  await network.setOffline(false);
  await payer.gets("Payment received");
  await charged(town, { amount: 9858 });
});

test("a phone that is offline when the link is tapped says that the link has not been used", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const link = await agent.sends({ client: "100042" });
  const payer = new Payer(town, await town.phone());
  await payer.page.route("**/pay/open", (route) => route.abort());
  await payer.page.goto(link);
  await payer.gets("We could not connect");
  await payer.reads("Your link has not been used.");
  await town.picture(payer.page, "payer-could-not-connect");
  await payer.page.unroute("**/pay/open");
  await payer.page.getByRole("button", { name: "Try again" }).tap();
  await payer.page.waitForURL(town.url + "/pay");
  await payer.reads("$98.58");
  await charged(town);
});

test("a slow network: the page says what it is doing and asks for one charge", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const payer = new Payer(town, await town.phone());
  const devtools = await payer.page.context().newCDPSession(payer.page);
  await devtools.send("Network.enable");
  await devtools.send("Network.emulateNetworkConditions", { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 20_000 }); // a slow 3G
  await payer.taps(await agent.sends({ client: "100042" }));
  await payer.fills({ number: VISA });
  await payer.presses();
  await payer.reads("Sending your payment…");
  await payer.gets("Payment received");
  await charged(town, { amount: 9858 });
});

test("without Stripe.js, without JavaScript, without cookies: the page says whom to call", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const link = await agent.sends({ client: "100042" });
  const call = (page) => page.getByRole("main").getByRole("link", { name: "Call (804) 555-0100" }).filter({ visible: true }).first();

  await t.test("Stripe.js is blocked", async () => {
    const payer = await Payer.opens(town, link, { prepare: (page) => page.route(town.sim + "/v3/**", (route) => route.abort()) });
    await payer.reads("The secure card form could not load, so you cannot pay on this page yet. Nothing was charged.");
    assert.equal(await call(payer.page).getAttribute("href"), "tel:+18045550100");
    await payer.cannotPay();
    await town.picture(payer.page, "payer-stripe-blocked");
    await payer.page.unroute(town.sim + "/v3/**");
    await payer.page.getByRole("button", { name: "Reload the page" }).tap();
    await payer.field("Card number").waitFor();
  });

  await t.test("JavaScript is off", async () => {
    const page = await town.phone({ javaScriptEnabled: false });
    await page.goto(link);
    await seen(page.locator("body"), "Your browser does not run JavaScript, which the secure card form needs. Nothing was charged. Please call us to pay.");
    await call(page).waitFor();
    await town.picture(page, "payer-noscript");
    // Whoever turns it off later reads the same on the payer's page.
    const open = await fetch(town.url + "/pay/open", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token: new URL(link).hash.slice(1) }) });
    const cookie = /^([^=]+)=([^;]+)/.exec(open.headers.get("set-cookie"));
    await page.context().addCookies([{ name: cookie[1], value: cookie[2], domain: "127.0.0.1", path: "/", secure: true, httpOnly: true, sameSite: "Lax" }]);
    await page.goto(town.url + "/pay");
    await seen(page.getByRole("main"), "Your browser does not run JavaScript");
    await seen(page.getByRole("main"), "$98.58");
    await call(page).waitFor();
    await town.picture(page, "payer-pay-noscript");
  });

  await t.test("cookies are blocked", async () => {
    const page = await town.phone();
    // As a browser that takes no cookie: the answer arrives without it.
    await page.route("**/pay/open", async (route) => {
      const answer = await fetch(route.request().url(), { method: "POST", headers: { "Content-Type": "application/json" }, body: route.request().postData() });
      await route.fulfill({ status: answer.status });
    });
    let opened = 0;
    page.on("request", (request) => { if (new URL(request.url()).pathname === "/pay") opened++; });
    await page.goto(link);
    await page.getByRole("heading", { level: 1, name: "Open the link from your text message" }).waitFor();
    await seen(page.getByRole("main"), "This browser has no open payment link");
    await call(page).waitFor();
    assert.equal(opened, 1, "the page loops");
    await town.picture(page, "payer-no-cookies");
  });
  await charged(town);
});
