// An agent sends, a payer pays: what becomes of one link when all goes as it should, and when the bank says no.
import assert from "node:assert/strict";
import test from "node:test";
import { Agent, charged, DECLINED, MASTERCARD, NO_FUNDS, Payer, SECURE, seen, VISA } from "./lib/people.mjs";
import { Town, until } from "./lib/town.mjs";

test("paid", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const said = await agent.quotes({ client: "100042" });
  for (const words of ["Monitoring, 30 × $3.10", "Tax 6%", "Total Due Amount", "$98.58", "Apr 9, 2026"]) assert.ok(said.includes(words), `${words} is not in the summary: ${said}`);
  await town.picture(agent.page, "1-agent-summary");
  await agent.presses("Send Message");
  await agent.reads("Delivered");
  await town.picture(agent.page, "2-agent-delivered");

  // The text lies on the phone, and a tap on it leads to the payer's page.
  const payer = new Payer(town, await town.phone());
  await payer.page.goto(town.sim + "/phone");
  await payer.page.getByRole("link", { name: /555-0142/ }).tap();
  const texts = payer.page.getByRole("log", { name: "Texts" });
  await seen(texts, "Interlane: pay securely, link good 10 min: ");
  await town.picture(payer.page, "3-phone-text");
  assert.doesNotMatch(await texts.innerText(), /Dana|98\.58/, "the text names a person or an amount");
  await texts.getByRole("link").last().tap();
  await payer.page.waitForURL(town.url + "/pay");
  await agent.reads("The payer has opened the link.");
  for (const words of ["$98.58", "30 days of monitoring", "Apr 9, 2026", "left to pay"]) await payer.reads(words);
  await seen(payer.page.getByRole("region", { name: "Payment Summary" }), "Monitoring, 30 days × $3.10");
  await town.picture(payer.page, "4-payer-page");
  await payer.fills({ number: VISA });
  await town.picture(payer.page, "5-payer-ready");
  await payer.presses();
  await payer.gets("Payment received");
  assert.equal(payer.page.url(), town.url + "/pay/receipt");
  for (const words of ["$98.58", "Visa ending in 4242", "Apr 9, 2026", "Mar 10, 2026", "is not kept"]) await payer.reads(words);
  await town.picture(payer.page, "6-payer-receipt");

  // The agent's page has followed without being loaded again.
  await agent.reads("Paid $98.58");
  await seen(agent.page.getByRole("main"), /Paid To Date\s+Apr 9, 2026/);
  await town.picture(agent.page, "7-agent-paid");
  await agent.page.getByRole("link", { name: "Account History" }).click();
  const rows = agent.page.getByRole("table").getByRole("row");
  await seen(rows.nth(1), /Mar 10, 2026.*Payment by link.*Visa ending 4242.*\$98\.58.*Paid/s);
  await seen(rows.nth(2), /Mar 10, 2026.*Monitoring 30 days, to Apr 9.*\$98\.58.*Paid/s);
  await town.picture(agent.page, "8-agent-history");
  await agent.page.getByRole("link", { name: "Payment Links" }).click();
  await seen(agent.page.getByRole("table").getByRole("row").nth(1), "Paid");

  // The receipt comes by text when it is asked for, once.
  await payer.page.getByRole("button", { name: "Text me this receipt" }).tap();
  await payer.reads("The receipt is on its way");
  await payer.page.goto(`${town.sim}/phone?number=%2B18045550142`);
  await seen(texts, /Interlane: payment received\. \$98\.58, Mar 10, 2026, card ending 4242/);
  await town.picture(payer.page, "9-phone-receipt");
  await charged(town, { amount: 9858, account: "platform", brand: "visa", last4: "4242" });
});

test("declined, then paid with another card", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const payer = await Payer.opens(town, await agent.sends({ client: "100042" }));
  await payer.fills({ number: NO_FUNDS });
  await payer.presses();
  await payer.reads("The card does not have enough available funds. Nothing was charged. Try another card. You can try 4 more times.");
  await town.picture(payer.page, "payer-declined");
  await agent.reads("Visa ending 9995 declined (1 of 5)");
  await agent.reads("The payer can try another card on the same page.");
  await town.picture(agent.page, "agent-declined");
  await charged(town);
  assert.equal(await payer.button.getAttribute("aria-disabled"), "true", "the button is active without a card");

  // The terms stay agreed to and the ZIP code stays: only the card is new.
  await payer.types({ number: MASTERCARD });
  await payer.presses();
  await payer.gets("Payment received");
  await payer.reads("Mastercard ending in 4444");
  await agent.reads("Paid $98.58");
  await charged(town, { amount: 9858, last4: "4444" });
});

test("five declined cards lock the link", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const link = await agent.sends({ client: "100042" });
  const payer = await Payer.opens(town, link);
  await payer.fills({ number: DECLINED });
  for (const left of ["4 more times", "3 more times", "2 more times", "1 more card"]) {
    await payer.presses();
    await payer.reads(`You can try ${left}.`);
    await payer.types({ number: DECLINED });
  }
  await payer.presses();
  await payer.gets("This link is locked");
  await payer.reads("No payment was taken.");
  await payer.cannotPay();
  await town.picture(payer.page, "payer-locked");
  await agent.reads("Five cards were declined. No payment was taken.");
  await town.picture(agent.page, "agent-locked");
  const again = await Payer.opens(town, link);
  await again.gets("This link is locked");
  await charged(town);
});

test("3-D Secure passed", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const payer = await Payer.opens(town, await agent.sends({ client: "100042" }));
  await payer.fills({ number: SECURE });
  await payer.presses();
  await payer.bank.getByRole("heading", { name: "Is it you who is paying?" }).waitFor();
  await town.picture(payer.page, "payer-bank-asks");
  await agent.reads("The payer is confirming the payment with their bank.");
  await charged(town);
  await payer.bank.getByRole("button", { name: "Complete authentication" }).tap();
  await payer.gets("Payment received");
  await agent.reads("Paid $98.58");
  await charged(town, { amount: 9858, last4: "3184" });
});

test("3-D Secure failed, then paid with another card", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const payer = await Payer.opens(town, await agent.sends({ client: "100042" }));
  await payer.fills({ number: SECURE });
  await payer.presses();
  await payer.bank.getByRole("button", { name: "Fail authentication" }).tap();
  await payer.reads("Your bank could not confirm that it is you. Nothing was charged. Try again or use another card.");
  await agent.reads("Visa ending 3184 declined (1 of 5)");
  await charged(town);
  await payer.types({ number: VISA });
  await payer.presses();
  await payer.gets("Payment received");
  await agent.reads("Paid $98.58");
  await charged(town, { amount: 9858, last4: "4242" });
});

test("the tab is killed during 3-D Secure, the link opened again in the same browser, and the payment finished", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const link = await agent.sends({ client: "100042" });
  const payer = await Payer.opens(town, link);
  await payer.fills({ number: SECURE });
  await payer.presses();
  await payer.bank.getByRole("heading", { name: "Is it you who is paying?" }).waitFor();
  const browser = payer.page.context();
  await payer.page.close();
  const again = new Payer(town, await browser.newPage());
  await again.taps(link);
  await again.bank.getByRole("button", { name: "Complete authentication" }).tap();
  await again.gets("Payment received");
  await agent.reads("Paid $98.58");
  await charged(town, { amount: 9858, last4: "3184" });
});

test("a used link opened on another phone says that it is paid", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const link = await agent.sends({ client: "100042" });
  const payer = await Payer.opens(town, link);
  await payer.pays({ number: VISA });
  const other = await Payer.opens(town, link);
  await other.gets("This payment has already been made");
  await other.cannotPay();
  await town.picture(other.page, "payer-used");
  assert.doesNotMatch(await other.page.locator("body").innerText(), /4242/, "somebody else reads the card's last digits");
  await charged(town, { amount: 9858 });
});

test("back, reload and another tap after paying never offer to pay again", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const link = await agent.sends({ client: "100042" });
  const payer = new Payer(town, await town.phone());
  await payer.page.goto(`${town.sim}/phone?number=%2B18045550142`);
  const text = payer.page.getByRole("log", { name: "Texts" }).getByRole("link");
  await text.tap();
  await payer.page.waitForURL(town.url + "/pay");
  await payer.pays({ number: VISA });
  await payer.page.reload();
  await payer.gets("Payment received");
  await payer.page.goBack({ waitUntil: "commit" });
  await text.waitFor(); // back is the text: neither landing page nor card form stayed in the history
  await payer.page.goForward({ waitUntil: "commit" });
  await payer.gets("Payment received");
  await payer.page.goBack({ waitUntil: "commit" });
  await text.tap();
  await payer.gets("Payment received");
  for (const address of ["/pay", "/pay/receipt"]) {
    await payer.page.goto(town.url + address);
    await payer.gets("Payment received");
    await payer.cannotPay();
  }
  await payer.page.goto(link);
  await payer.gets("Payment received");
  await charged(town, { amount: 9858 });
});

test("a page that the browser kept does not offer to pay what was paid meanwhile", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const link = await agent.sends({ client: "100042" });
  const left = await Payer.opens(town, link);
  await left.fills({ number: VISA });
  await left.page.goto(town.sim + "/phone");
  const payer = await Payer.opens(town, link);
  await payer.pays({ number: MASTERCARD });
  await left.page.goBack({ waitUntil: "commit" });
  await left.gets("This payment has already been made");
  await left.cannotPay();
  await charged(town, { amount: 9858, last4: "4444" });
});
