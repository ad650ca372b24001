// A day's links as a lead follows them on the list, and as a supervisor reads them in the reports: sent, paid, declined, expired, and one that could not be sent.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { Agent, NO_FUNDS, Payer, seen, sound } from "./lib/people.mjs";
import { Town, until } from "./lib/town.mjs";

test("a lead follows the team's links, and a supervisor reads what became of them", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const paid = await Payer.opens(town, await agent.sends({ client: "100042" }));
  await paid.pays();

  const lead = await Agent.at(town, { login: "lead" });
  const list = lead.page.getByRole("region", { name: "The team’s links" });
  await lead.page.clock.install();
  await lead.page.getByRole("link", { name: "Links", exact: true }).click();
  await seen(list, /Paid\s+Dana Whitfield.*J\. Ortiz\s+\$98\.58\s+••0142/s);
  await sound(lead.page, "the list");

  // Another link is sent, and the list shows it by itself.
  const declined = await Payer.opens(town, await agent.sends({ client: "100045", days: 14 }));
  await until("the list to show the second link", 10_000, async () => {
    await lead.page.clock.fastForward(15_000);
    return (await list.innerText()).includes("Omar Haddad");
  });
  await seen(list, /Live\s+\d+:\d\d left.*Omar Haddad/s);
  await declined.fills({ number: NO_FUNDS });
  await declined.presses();
  await declined.reads("does not have enough available funds");
  await agent.quotes({ client: "100050" });
  await town.clock("11m");

  await lead.page.getByLabel("Status").selectOption("Expired");
  await lead.page.getByRole("button", { name: "Show" }).click();
  await seen(list, /Expired\s+1 declined card\s+Omar Haddad/s);
  assert.ok(!(await list.innerText()).includes("Dana"), "a link that is not expired is listed");
  assert.equal((await lead.page.goto(town.url + "/plus/reports")).status(), 403);

  const supervisor = await Agent.at(town, { login: "supervisor" });
  const { page } = supervisor;
  await page.getByRole("link", { name: "Reports" }).click();
  await page.getByRole("heading", { level: 1, name: "Reports" }).waitFor();
  const chart = (name) => page.getByRole("region", { name, exact: true });
  await seen(chart("What became of the links"), /Of 2 links, 2 were opened and 1 was paid\.\s+Sent\s+2 100\.0%\s+Delivered\s+2 100\.0%\s+Opened\s+2 100\.0%\s+Paid\s+1 50\.0%\s+Expired\s+1 50\.0%/);
  await seen(chart("Declined cards"), /does not have enough available funds\s+1 100\.0%/);
  await seen(chart("Could not be sent"), /Richmond, VA\s+1 100\.0%/);
  await page.getByRole("img", { name: /^From sent to paid/ }).waitFor();
  await sound(page, "the reports");

  // By keyboard: fewer links, other rows, a file, and the links behind a number.
  await page.locator("summary", { hasText: "Filters" }).focus();
  await page.keyboard.press("Enter");
  await page.getByLabel("Location", { exact: true }).selectOption("Harrisburg, PA");
  await page.getByLabel("Tables by").selectOption("Days");
  await page.getByRole("button", { name: "Show" }).press("Enter");
  const table = page.getByRole("table", { name: "Links by days" });
  await seen(table, /14 days\s+1\s+1\s+1\s+1\s+0\s+1/);
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "CSV of Links by days" }).press("Enter")]);
  assert.equal(download.suggestedFilename(), "paylink-funnel-2026-03-04-to-2026-03-10.csv");
  const lines = (await readFile(await download.path(), "utf8")).split("\r\n");
  assert.match(lines[0], /^\ufeffDays,Sent,Delivered,Opened,Card declined,Paid,/);
  assert.equal(lines[1], "14 days,1,1,1,1,0,1,0,0,0,1,0,0.0");
  await table.getByRole("row", { name: /^All/ }).getByRole("link").first().click();
  await seen(page.getByRole("region", { name: "The team’s links" }), /Omar Haddad/);
  await page.goBack();
  await page.getByRole("link", { name: "Control list" }).click();
  await seen(chart("Links to another number than the client’s"), "No number was changed.");
  await sound(page, "the control list");

  // Days that can't be counted are said where they are entered, and the focus is there.
  await page.getByRole("link", { name: "Overview" }).click();
  await page.getByLabel("Time", { exact: true }).selectOption("From … to …");
  await page.getByLabel("First day").fill("2026-03-10");
  await page.getByLabel("Last day").fill("2026-03-01");
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByText("The last day is before the first.").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.id), "from");
  await sound(page, "days that can't be counted");
});
