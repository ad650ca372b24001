// Take Payment: an agent charges a card on file, by the keyboard; the card that needs its owner; the one that declines; and what is in the way.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Agent, Payer, SECURE, charged, seen, sound } from "./lib/people.mjs";
import { Town } from "./lib/town.mjs";

/** Opens a client's Account History and Take Payment below it. */
async function opens(agent, client) {
  await agent.page.goto(`${agent.town.url}/plus/clients/${client}?tab=history`);
  const opener = agent.page.getByRole("button", { name: "Take Payment" });
  await opener.focus();
  await agent.page.keyboard.press("Enter");
  await agent.page.getByRole("heading", { name: "Take Payment" }).waitFor();
}

const summary = (agent) => agent.page.getByRole("region", { name: "Invoice Summary" });
const status = (agent, name = "Payment status") => agent.page.getByRole("region", { name });
const consent = (agent) => agent.page.getByRole("checkbox", { name: /agreed on the phone/ });
const card = (agent, name) => agent.page.getByRole("group", { name: "Card on file" }).getByRole("radio", { name });

test("An agent takes a payment from a card on file by the keyboard", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const page = agent.page;
  await opens(agent, "100047");
  await seen(summary(agent), "$98.58");
  assert.ok(await card(agent, /Visa ending 4242/).isChecked(), "the main card is chosen");
  assert.ok(await card(agent, /Mastercard ending 4444.*expired/).isDisabled(), "an expired card can't be chosen");
  await sound(page, "Take Payment");

  // Other days: the summary follows, and the consent to the total before does not go along.
  await consent(agent).check();
  await card(agent, /3184/).check();
  await page.getByRole("group", { name: "Monitor days" }).getByRole("radio", { name: "14 days" }).focus();
  await page.keyboard.press("Space");
  await page.getByRole("button", { name: "Charge $46.00" }).waitFor();
  assert.ok(!(await consent(agent).isChecked()), "consent to another total stays");
  assert.ok(await card(agent, /3184/).isChecked(), "the card that was chosen does not stay");
  await page.keyboard.press("ArrowRight");
  await page.getByRole("button", { name: "Charge $98.58" }).waitFor();
  await card(agent, /4242/).focus();
  await page.keyboard.press("Space");

  // Without the consent: said where it is missing, and the focus is there.
  await page.getByRole("button", { name: "Charge $98.58" }).focus();
  await page.keyboard.press("Enter");
  await seen(page.locator("#taking"), "tick the box once the client has agreed");
  assert.equal(await page.evaluate(() => document.activeElement.id), "charge-consent");
  await page.keyboard.press("Space");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await seen(status(agent), "Paid.");
  await seen(status(agent), /Tell the client: paid to Apr 9, 2026, reference/);
  await seen(page.locator("#client"), "Apr 9, 2026"); // the figures and the history follow, without a reload
  await seen(page.locator("#rest"), "Payment by card on file");
  await sound(page, "paid");
  await charged(town, { amount: 9858 });

  // The declined card, its reason, and the way on.
  await opens(agent, "100045");
  await consent(agent).check();
  await page.getByRole("button", { name: "Charge $159.00" }).click();
  await seen(status(agent), "Visa ending 0341 declined");
  await sound(page, "declined");
  await page.getByRole("link", { name: "Take Payment again" }).click();
  await seen(summary(agent), "$159.00");
  await page.getByRole("link", { name: "Send a link instead" }).click();
  await page.getByLabel("Phone number").waitFor();
  await charged(town, { amount: 9858 });
});

test("A card that needs its owner becomes a link for the same payment", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  // While a link is live nothing is charged.
  await agent.sends({ client: "100047" });
  await opens(agent, "100047");
  await seen(agent.page.locator("#in-the-way"), "A secure payment link is live.");
  assert.equal(await agent.page.getByRole("button", { name: /^Charge/ }).count(), 0, "a charge is offered beside a live link");
  await sound(agent.page, "a link is in the way");
  await agent.cancels("Paying another way");
  await seen(status(agent, "Link status"), "Cancelled");

  await opens(agent, "100047");
  await card(agent, /3184/).check();
  await consent(agent).check();
  await agent.page.getByRole("button", { name: "Charge $98.58" }).click();
  await seen(status(agent, "Link status"), "Visa ending 3184 needs its owner");
  const link = await town.linkSentTo("+18045550147", { after: 1 });
  const payer = await Payer.opens(town, link);
  await payer.fills({ number: SECURE });
  await payer.presses();
  await payer.bank.getByRole("button", { name: "Complete authentication" }).tap();
  await payer.gets("Payment received");
  await seen(status(agent, "Link status"), "Paid.");
  await seen(status(agent, "Link status"), "$98.58");
  const { platform, accounts } = await town.control("stripe/books");
  const paid = accounts[platform].intents.filter(({ status }) => status === "succeeded");
  assert.equal(paid.length, 1);
  await charged(town, { amount: 9858 });
});
