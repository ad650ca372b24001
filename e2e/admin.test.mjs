// An administrator runs the town: adds a person, changes a rate, publishes terms, and each is seen by whom it concerns. An auditor reads all of it and changes nothing.
import assert from "node:assert/strict";
import test from "node:test";
import { Agent, Payer, seen } from "./lib/people.mjs";
import { axe, Town } from "./lib/town.mjs";

/** What of a page axe finds wrong, light or dark by turns, and whether it has to be scrolled sideways: at 320 pixels, and with letters of twice the size. */
async function sound(page, name, colorScheme = name.length % 2 ? "light" : "dark") {
  const size = page.viewportSize();
  await page.emulateMedia({ colorScheme });
  const found = await axe(page);
  await page.emulateMedia({ colorScheme: null });
  const wide = () => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  await page.setViewportSize({ width: 320, height: 700 });
  if (await wide()) found.push("it is wider than 320 px");
  await page.setViewportSize(size);
  await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
  if (await wide()) found.push("it is too wide with letters of twice the size");
  await page.evaluate(() => { document.documentElement.style.fontSize = ""; });
  assert.deepEqual(found, [], name);
}

test("an administrator runs the town", async (t) => {
  const town = await Town.start(t);
  const { page } = await Agent.at(town, { login: "admin" });
  const button = (name) => page.getByRole("button", { name, exact: true });
  const focused = () => page.evaluate(() => document.activeElement?.id);

  await t.test("adds a person by keyboard, who signs in and is kept out again", async () => {
    await page.getByRole("link", { name: "Admin", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: /^Staff/ }).waitFor();
    await sound(page, "staff");
    await page.getByRole("link", { name: "Add a person" }).focus();
    await page.keyboard.press("Enter");
    await page.getByLabel("Login", { exact: true }).focus();
    await page.keyboard.type("agent");
    await page.keyboard.press("Tab");
    await page.keyboard.type("Maya Reyes");
    await page.keyboard.press("Tab");
    await page.keyboard.type("Lead");
    assert.equal(await page.getByRole("group", { name: "Locations seen" }).isVisible(), true);
    assert.equal(await page.getByRole("group", { name: "Teams seen" }).isVisible(), false); // a lead's team is their own
    await page.keyboard.press("Tab");
    await page.keyboard.type("Team West");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter"); // from the e-mail field
    await page.getByText("Somebody has this login already.").waitFor();
    assert.equal(await focused(), "login");
    await sound(page, "a login that is taken");
    await page.keyboard.press("ControlOrMeta+a");
    await page.keyboard.type("mreyes");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Maya Reyes was added" }).waitFor();
    await sound(page, "a temporary password");
    const password = await page.locator("#secret").innerText();
    await page.getByRole("link", { name: "Done" }).click();
    await sound(page, "a person");
    assert.equal((await page.content()).includes(password), false, "the password is shown again");

    const maya = new Agent(town, await town.desk());
    await maya.page.goto(town.url + "/plus/");
    await maya.page.getByLabel("Login", { exact: true }).fill("mreyes");
    await maya.page.getByLabel("Password", { exact: true }).fill(password);
    await maya.page.getByRole("button", { name: "Sign in", exact: true }).click();
    await maya.page.getByRole("heading", { name: "Choose your password" }).waitFor();
    await maya.page.getByLabel("Temporary password", { exact: true }).fill(password);
    await maya.page.getByLabel("New password", { exact: true }).fill("plum harbor seven kites");
    await maya.page.getByRole("button", { name: "Choose this password" }).click();
    await maya.page.getByRole("heading", { name: "Find a client" }).waitFor();

    await page.reload();
    await button("Disable").click();
    await page.getByRole("heading", { name: "Disable Maya Reyes?" }).waitFor();
    await sound(page, "disabling to be confirmed");
    await button("Disable").click();
    await seen(page.getByRole("region", { name: "Changes" }), /Disable staff\s+Disabled: no → yes/);
    assert.equal((await maya.page.goto(town.url + "/plus/clients/100042")).status(), 401);
  });

  await t.test("changes a rate, and an agent's next quote has it", async () => {
    const agent = await Agent.at(town);
    await seen({ innerText: () => agent.quotes({ client: "100047" }) }, "$98.58");
    await page.goto(town.url + "/plus/admin/locations");
    await sound(page, "locations");
    await page.getByRole("link", { name: "Richmond, VA" }).click();
    await sound(page, "a location");
    await page.getByRole("navigation", { name: "Location" }).getByRole("link", { name: "Fees" }).click();
    await sound(page, "fees");
    await page.getByRole("navigation", { name: "Location" }).getByRole("link", { name: "Rates" }).click();
    await page.getByLabel("Interlock, a day").fill("three");
    await button("Go on").click();
    await page.getByText("Enter an amount in dollars").waitFor();
    assert.equal(await focused(), "iid");
    await sound(page, "rates");
    await page.getByLabel("Interlock, a day").fill("3.00");
    await button("Go on").click();
    await page.getByLabel(/Also for the \d+ vehicles that pay \$3\.10 now/).check();
    await sound(page, "rates to be confirmed");
    await button("Change").click();
    await seen(page.getByRole("region", { name: "Changes" }), "Interlock, a day: $3.10 → $3.00");
    await seen({ innerText: () => agent.quotes({ client: "100047" }) }, "Monitoring, 30 × $3.00");
  });

  await t.test("publishes terms, and a payer who has the old ones open reads the new", async () => {
    const agent = await Agent.at(town);
    const payer = await Payer.opens(town, await agent.sends({ client: "100042" }));
    await payer.fills();
    await page.goto(town.url + "/plus/admin/terms");
    await sound(page, "versions");
    await page.getByRole("link", { name: "Write a new version of the Payment terms" }).click();
    await sound(page, "terms to be written");
    for (const [language, more] of [["English", "One more thing\nWe say thank you.\n"], ["Spanish", "Una cosa más\nLe damos las gracias.\n"]]) {
      const field = page.getByLabel(language, { exact: true });
      await field.fill((await field.inputValue()).trimEnd() + "\n\n" + more);
    }
    await button("Preview").click();
    await page.getByRole("heading", { level: 1, name: "Publish version 2?" }).waitFor();
    await sound(page, "terms to be confirmed");
    await button("Publish version 2").click();
    await page.getByRole("heading", { level: 1, name: "Version 2" }).waitFor();
    await sound(page, "a version");

    await payer.presses();
    await payer.reads("The payment terms have changed. Nothing was charged.");
    await payer.page.getByRole("link", { name: "payment terms" }).tap();
    await payer.page.getByRole("dialog").getByText("We say thank you.").waitFor();
    await payer.page.keyboard.press("Escape");
    await payer.pays();
  });

  await t.test("an auditor reads all of it and is offered nothing", async () => {
    const auditor = await Agent.at(town, { login: "auditor" });
    for (const path of ["staff", "staff/staff-lead", "locations", "locations/VA-RIC", "locations/VA-RIC/rates", "locations/VA-RIC/fees", "terms", "terms/2"]) {
      assert.equal((await auditor.page.goto(`${town.url}/plus/admin/${path}`)).status(), 200, path);
      assert.equal(await auditor.page.getByRole("main").getByRole("button", { name: /^(?!Show$)/ }).count(), 0, path);
    }
    await sound(auditor.page, "a version, to an auditor");
    assert.equal((await auditor.page.goto(town.url + "/plus/admin/staff/new")).status(), 403);
    const agent = await Agent.at(town);
    assert.equal((await agent.page.goto(town.url + "/plus/admin/staff")).status(), 403);
  });
});
