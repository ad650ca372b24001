// Account History: an agent adds an invoice of two fees by keyboard, finds it in the history and in the balance, opens its page and takes its PDF; and looks through the history.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { Agent, sound } from "./lib/people.mjs";
import { Town } from "./lib/town.mjs";

test("an agent adds an invoice, and finds it", async (t) => {
  const town = await Town.start(t);
  const { page } = await Agent.at(town);
  const history = page.getByRole("region", { name: "Account History" });
  const rows = history.getByRole("row");
  const focused = () => page.evaluate(() => document.activeElement?.id);
  await page.goto(`${town.url}/plus/clients/100042?tab=history`);

  // By keyboard alone: two fees, their summary, the invoice.
  await page.getByRole("link", { name: "Add New Invoice" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Add New Invoice" }).waitFor();
  await page.getByLabel("Lost handset").focus();
  await page.keyboard.type("1");
  await page.keyboard.press("Tab");
  await page.keyboard.type("200");
  await page.keyboard.press("Enter"); // Get Summary
  await page.getByText("Enter a number up to 99.").waitFor();
  assert.equal(await focused(), await page.getByLabel("Missed appointment").getAttribute("id"));
  await sound(page, "a count that is too large");
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("2");
  await page.keyboard.press("Enter");
  const summary = page.getByRole("region", { name: "Summary of fees" });
  await summary.getByText("$202.50").first().waitFor();
  assert.equal(await focused(), "fee-summary-title");
  assert.match(await summary.innerText(), /Tax 6% on \$125\.00\s+\$7\.50/);
  await sound(page, "the summary");
  await summary.getByRole("button", { name: "Add Invoice" }).focus();
  await page.keyboard.press("Enter");
  await page.getByText("was added: $202.50. The balance is $202.50 now.").waitFor();
  assert.equal(await focused(), "added");
  assert.match(await rows.nth(1).innerText(), /Lost handset and 1 more[\s\S]*\$202\.50[\s\S]*Due/);
  assert.match(await page.locator("#client").innerText(), /Balance\s+\$202\.50/);
  await sound(page, "the history");

  // Its page, and its PDF.
  const invoice = rows.nth(1).getByRole("link");
  await invoice.focus();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: /^Invoice / }).waitFor();
  await sound(page, "the invoice");
  const number = (await page.getByRole("heading", { level: 1 }).innerText()).replace("Invoice ", "");
  const downloading = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download PDF" }).focus();
  await page.keyboard.press("Enter");
  const file = await downloading;
  assert.equal(file.suggestedFilename(), `invoice-${number}.pdf`);
  assert.equal((await readFile(await file.path())).subarray(0, 5).toString(), "%PDF-");

  // The filter, by keyboard; it is in the address, and holds when the page is loaded again.
  await page.getByRole("link", { name: "Account History" }).click();
  await page.getByLabel("Show").focus();
  await page.keyboard.type("Pay");
  await page.keyboard.press("Tab");
  await page.getByRole("button", { name: "Filter" }).focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(/what=payments/);
  await page.getByText("Payment by Auto Pay").waitFor();
  await page.reload();
  assert.equal(await history.getByText("Lost handset").count(), 0);
  await page.getByLabel("To", { exact: true }).fill("2001-01-01");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByText("Nothing fits this filter.").waitFor();
  await page.getByRole("link", { name: "Clear filter" }).click();
  await rows.nth(1).getByText("Lost handset").waitFor();
});
