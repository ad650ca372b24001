// How a link ends without being paid: by time, by the agent, by a newer text, by whoever got it. Nothing is charged, and both sides read the truth.
import assert from "node:assert/strict";
import test from "node:test";
import { Agent, charged, NO_FUNDS, Payer, seen, VISA } from "./lib/people.mjs";
import { Town, until } from "./lib/town.mjs";

const announced = (payer) => payer.page.getByRole("status").filter({ hasText: /left to pay/ });

test("expired: the time left is announced, and both sides say so at its end", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const link = await agent.sends({ client: "100042" });
  const payer = await Payer.opens(town, link, { clock: true });
  await payer.fills({ number: VISA });
  // Each step goes to a few seconds past the mark, and the mark is said politely, once.
  for (const [by, words] of [["5m", "5 minutes left to pay"], ["3m", "2 minutes left to pay"], ["1m", "1 minute left to pay"], ["30s", "30 seconds left to pay"]]) {
    assert.equal(await announced(payer).filter({ hasText: words }).count(), 0, `${words} is said too early`);
    await town.clock(by, payer.page);
    await announced(payer).filter({ hasText: words }).waitFor({ state: "attached" });
    await seen(agent.status, /\d:\d\d left/);
  }
  await town.picture(payer.page, "payer-thirty-seconds");
  await seen(payer.page.getByRole("timer"), /^0:[012]\d left to pay/);
  await town.clock("31s", payer.page);
  await payer.gets("This link has expired");
  for (const words of ["No payment was taken.", "Call us and we will text you a new link.", "(804) 555-0100", "Reference"]) await payer.reads(words);
  assert.equal(await payer.page.getByRole("link", { name: /Call/ }).first().getAttribute("href"), "tel:+18045550100");
  await payer.cannotPay();
  await town.picture(payer.page, "payer-expired");
  await agent.reads("The link has expired. No payment was taken.");
  await town.picture(agent.page, "agent-expired");
  await payer.page.reload();
  await payer.gets("This link has expired");
  const again = await Payer.opens(town, link);
  await again.gets("This link has expired");
  await charged(town);
});

test("a press after the end is not charged, whatever the page's own clock says", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const payer = await Payer.opens(town, await agent.sends({ client: "100042" }));
  await payer.fills({ number: VISA });
  await town.clock("10m"); // the page still counts from 9:50
  await payer.presses();
  await payer.gets("This link has expired");
  await agent.reads("The link has expired.");
  await charged(town);
});

test("cancelled while the payer has it open: pressing says so", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const link = await agent.sends({ client: "100042" });
  const payer = await Payer.opens(town, link);
  await payer.fills({ number: VISA });
  await agent.cancels("Paying another way");
  await agent.reads("The link was cancelled. No payment was taken.");
  await town.picture(agent.page, "agent-cancelled");
  await payer.presses();
  await payer.gets("This link was cancelled");
  await payer.reads("No payment was taken.");
  await payer.cannotPay();
  await town.picture(payer.page, "payer-cancelled");
  const again = await Payer.opens(town, link);
  await again.gets("This link was cancelled");
  await charged(town);
});

test("a card number as a reason is refused and not kept", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  await agent.sends({ client: "100042" });
  await agent.presses("Cancel link");
  const dialog = agent.page.getByRole("dialog", { name: "Cancel this link?" });
  await dialog.getByLabel(/More about it/).fill("4242 4242 4242 4242");
  await dialog.getByRole("button", { name: "Cancel link" }).click();
  await seen(agent.page.getByRole("dialog"), "Never type a card number here."); // it is not even sent
  await agent.page.getByRole("dialog").getByRole("button", { name: "Keep it open" }).click();
  await agent.reads("Delivered");
});

test("resent: the old link says that there is a newer one, the new one works", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const old = await agent.sends({ client: "100042" });
  const first = await Payer.opens(town, old);
  await first.fills({ number: VISA });
  await town.clock("4m");
  await agent.presses("Resend");
  await agent.reads("Replaced by a new link");
  const fresh = await town.linkSentTo("+18045550142", { after: 1 });
  assert.notEqual(fresh, old);
  await seen(agent.page.getByRole("timer"), /^(10:00|9:5\d) left/); // the ten minutes start again
  await town.picture(agent.page, "agent-resent");

  await first.presses(); // the page of the old text
  await first.gets("There is a newer link");
  await town.picture(first.page, "payer-replaced");
  const stale = await Payer.opens(town, old);
  await stale.gets("There is a newer link");
  await stale.cannotPay();
  await charged(town);

  const payer = await Payer.opens(town, fresh);
  await payer.pays({ number: VISA });
  await agent.reads("Paid $98.58");
  await charged(town, { amount: 9858 });
});

test("a decline counts on after a resend, and after three resends there are no more", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const payer = await Payer.opens(town, await agent.sends({ client: "100042" }));
  await payer.fills({ number: NO_FUNDS });
  await payer.presses();
  await payer.reads("You can try 4 more times.");
  for (let n = 1; n <= 3; n++) {
    await agent.presses("Resend");
    await town.linkSentTo("+18045550142", { after: n });
  }
  await agent.reads("Resent three times");
  assert.equal(await agent.page.getByRole("button", { name: "Resend", exact: true }).count(), 0);
  const newest = await Payer.opens(town, await town.linkSentTo("+18045550142"));
  await newest.fills({ number: NO_FUNDS });
  await newest.presses();
  await newest.reads("You can try 3 more times.");
  await agent.reads("declined (2 of 5)");
  await charged(town);
});

test("cancel it and start anew: a live link is not sent a second time", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const old = await agent.sends({ client: "100042" });
  await agent.quotes({ client: "100042", days: 14 });
  await agent.reads("Delivered");
  assert.equal(await agent.page.getByRole("button", { name: "Send Message" }).count(), 0, "a second link is offered while one is live");
  await agent.page.getByRole("button", { name: "Cancel it and start anew" }).click();
  const dialog = agent.page.getByRole("dialog", { name: "Cancel this link?" });
  await dialog.getByLabel("Reason").selectOption("Wrong vehicle or days");
  await dialog.getByRole("button", { name: "Cancel link" }).click();
  await agent.page.getByRole("button", { name: "Send Message" }).waitFor();
  await (await Payer.opens(town, old)).gets("This link was cancelled");
  assert.equal((await town.messages()).length, 1);
});

test("somebody else pays, and the page keeps the client's matters to itself", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  await agent.quotes({ client: "100043", vehicle: "veh_marcus_f150" });
  await agent.phone.fill("804 555 0161");
  await agent.presses("Send Message"); // without consent
  await seen(agent.page.getByRole("main"), "Ask whether the payer agrees to get this text");
  assert.equal((await town.messages()).length, 0, "a text went out without consent");
  await town.picture(agent.page, "agent-consent-needed");
  await agent.page.getByLabel("Who is paying").fill("Rosa, his mother");
  await agent.page.getByLabel(/The payer agreed/).check();
  await agent.presses("Send Message");
  const link = await town.linkSentTo("+18045550161");
  const payer = await Payer.opens(town, link);
  for (const words of ["$125.25", "30 days of service", "Service, 30 days × $2.41", "Protection, 30 days × $0.16", "Other charges", "$42.37"]) await payer.reads(words);
  const page = await payer.page.content(); // with what is not shown
  for (const secret of ["Marcus", "Bell", "Ford", "F-150", "Camry", "KTL", "100043", "monitoring", "monitor", "interlock", "past due", "Rosa"]) {
    assert.ok(!new RegExp(`\\b${secret}\\b`, "i").test(page), `somebody else reads ${secret}`);
  }
  await town.picture(payer.page, "payer-somebody-else");

  await payer.page.getByRole("button", { name: "Not for me" }).tap();
  const dialog = payer.page.getByRole("dialog", { name: "Is this link not for you?" });
  await dialog.getByRole("button", { name: "Keep it open" }).tap();
  await until("the dialog to close", 5000, () => payer.page.getByRole("dialog").filter({ visible: true }).count().then((n) => n === 0));
  await payer.page.getByRole("button", { name: "Not for me" }).tap();
  await town.picture(payer.page, "payer-not-for-me-asked");
  await dialog.getByRole("button", { name: "Close this link" }).tap();
  await payer.gets("Thank you. The link is closed.");
  await town.picture(payer.page, "payer-not-for-me");
  await agent.reads("The link was refused by whoever got it. No payment was taken.");
  await agent.reads("Check the phone number before you send a new link.");
  await (await Payer.opens(town, link)).gets("Thank you. The link is closed.");
  await charged(town);

  // The number was used for this payment only: the client's record has the old one.
  await agent.sees("100043");
  await seen(agent.page.getByRole("main"), "(804) 555-0143");
  assert.doesNotMatch(await agent.page.locator("body").innerText(), /0161/);
});
