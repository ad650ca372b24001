// Finance gives money back through the pages: a part of a paid link, and then the rest. The agent sees it, and so does the payer's old link.
import assert from "node:assert/strict";
import test from "node:test";
import { Agent, Payer, seen, sound } from "./lib/people.mjs";
import { axe, Town } from "./lib/town.mjs";

/** What went back at the card processor, in cents. */
async function givenBack(town) {
  const { accounts } = await town.control("stripe/books");
  return Object.values(accounts).flatMap(({ refunds }) => refunds ?? []).map(({ amount }) => amount);
}

test("finance gives back a part of a payment and then the rest", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const payer = await Payer.opens(town, await agent.sends({ client: "100042" }));
  await payer.pays();
  await agent.reads("Paid.");

  const finance = await Agent.at(town, { login: "finance" });
  const { page } = finance;
  const button = (name) => page.getByRole("button", { name, exact: true });
  await page.getByRole("link", { name: "Finance" }).click();
  await page.getByText("All is settled.").waitFor();
  await sound(page, "nothing waits");

  await page.goto(`${town.url}/plus/clients/100042?tab=links`);
  await page.getByRole("region", { name: "Payment Links" }).getByRole("link").nth(1).click(); // its reference
  await page.getByRole("heading", { level: 1, name: /^Payment / }).waitFor();
  const address = page.url();

  // By keyboard alone: what is wrong is said where it is wrong, and the focus is there.
  await page.getByRole("radio", { name: "A part" }).focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Tab");
  await page.keyboard.type("400");
  await page.keyboard.press("Tab");
  await page.keyboard.type("returned early");
  await page.keyboard.press("Enter");
  await page.getByText("That is more than is left to give back.").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.id), "amount");
  await sound(page, "an amount that is too large");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("40");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Give back $40.00 to Dana Whitfield?" }).waitFor();
  await sound(page, "a refund to be confirmed");
  await button("Give back $40.00").dblclick(); // two clicks
  await seen(page.getByRole("region", { name: "Refunds" }), /\$40\.00\s+Given back/);
  assert.deepEqual(await givenBack(town), [4000]);
  await seen(page.locator("#state"), "Partly refunded");

  await agent.page.reload();
  await agent.reads("Of $98.58, $40.00 was given back.");
  await payer.page.reload();
  await payer.reads("Of this payment, $40.00 was sent back to the card that paid.");

  await page.getByRole("radio", { name: "The rest, $58.58" }).check({ force: true });
  await page.getByLabel("Reason").fill("the device was returned");
  await button("Go on").click();
  await button("Give back $58.58").click();
  await seen(page.locator("#state"), "Paid, and given back in full.");
  assert.deepEqual((await givenBack(town)).sort(), [4000, 5858]);

  await agent.page.reload();
  await agent.reads("all of it was given back: $98.58");
  await payer.page.reload();
  await payer.reads("This payment was refunded: all of it, $98.58");
  assert.deepEqual(await axe(payer.page), []);
  const other = await Payer.opens(town, await town.linkSentTo("+18045550142")); // on another phone
  await other.gets("This payment was refunded");
  await other.reads("All of it, $98.58, was sent back to the card that paid.");

  assert.equal((await agent.page.goto(town.url + "/plus/finance")).status(), 403);
  assert.equal((await agent.page.goto(address + "/evidence.json")).status(), 403);
  await agent.page.goto(address); // leads to what an agent may see of it
  assert.equal(new URL(agent.page.url()).pathname, "/plus/clients/100042");
});
