// A client adds a card on a phone: their bank asks to confirm, what is refused is said where it is entered, and a card that was saved is removed again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { AMEX, PASSWORD, Payer, SECURE, charged, seen, sound } from "./lib/people.mjs";
import { Town } from "./lib/town.mjs";

test("a client adds a card by 3-D Secure, and removes it", async (t) => {
  const town = await Town.start(t);
  const page = await town.phone();
  const client = new Payer(town, page); // who knows how a card is entered
  await page.goto(town.url + "/my/");
  await page.getByLabel("Client id").fill("100042");
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Sign in" }).tap();
  await page.getByRole("heading", { level: 1, name: "Hello, Dana" }).waitFor();
  await page.goto(town.url + "/my/cards");
  await seen(page.locator("main"), "No card is on file");
  await sound(page, "no card");
  await page.getByRole("link", { name: "Add a card" }).tap();

  // What is missing is said, and found.
  const save = page.getByRole("button", { name: /^(Save the card|Saving)/ });
  await client.types({ number: AMEX, code: "1234" });
  await seen(page.locator("main"), "American Express is not accepted here");
  await save.tap({ force: true }); // it says that it is not ready, and why
  await seen(page.locator("main"), "Still needed: card number, ZIP code, your agreement to the terms.");
  await sound(page, "a card that is not taken");
  await page.getByRole("link", { name: "terms of keeping a card" }).tap();
  await page.getByRole("dialog", { name: "Terms of keeping a card, version 1" }).waitFor();
  await page.keyboard.press("Escape");

  // The bank asks; the client says no, and then yes.
  await client.types({ number: SECURE });
  await client.zip.fill("23219");
  await client.agree.check();
  await save.tap();
  await client.bank.getByRole("button", { name: /fail/i }).click();
  await seen(page.locator("main"), "did not confirm that it is you");
  assert.ok(await client.agree.isChecked(), "what was agreed to is forgotten");
  await client.types({ number: SECURE });
  await save.tap();
  await client.bank.getByRole("button", { name: /complete/i }).click();
  await seen(page.locator("main"), "The card was saved.");
  await seen(page.locator("main"), "3184");
  await seen(page.locator("main"), "Main card");
  await sound(page, "a card");

  await page.getByRole("link", { name: /^Remove/ }).tap();
  await page.getByRole("heading", { level: 1, name: "Remove Visa ending in 3184?" }).waitFor();
  await sound(page, "sure to remove");
  await page.getByRole("button", { name: "Remove the card" }).tap();
  await seen(page.locator("main"), "The card was removed.");
  await seen(page.locator("main"), "No card is on file");
  await charged(town); // nothing
});
