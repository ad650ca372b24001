// The agent's desk: a whole call by keyboard alone, the search as one types, and a document that stays the same all the while.
import assert from "node:assert/strict";
import test from "node:test";
import { Agent, charged, Payer, PASSWORD, seen, VISA } from "./lib/people.mjs";
import { axe, Town, until } from "./lib/town.mjs";

/** What of a page axe finds wrong, light and dark, and whether it has to be scrolled sideways at 390 and 320 pixels or with letters of twice the size. */
async function sound(town, page, name) {
  const size = page.viewportSize();
  const found = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    found.push(...(await axe(page)).map((line) => `${colorScheme}: ${line}`));
    await town.picture(page, `${name}-${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  const sideways = () => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  for (const width of [390, 320]) {
    await page.setViewportSize({ width, height: 844 });
    if (await sideways()) found.push(`it is wider than ${width} px`);
    await town.picture(page, `${name}-${width}`);
  }
  await page.setViewportSize(size);
  await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
  if (await sideways()) found.push("with letters of twice the size it is too wide");
  await town.picture(page, `${name}-large`);
  await page.evaluate(() => { document.documentElement.style.fontSize = ""; });
  assert.deepEqual(found, [], name);
}

/** Presses Tab until a thing has the focus. */
async function tabsTo(page, thing, most = 40) {
  for (let n = 0; n < most; n++) {
    await page.keyboard.press("Tab");
    if (await thing.evaluate((e) => e === document.activeElement).catch(() => false)) return;
  }
  throw new Error(`Tab does not lead to ${thing}; it is at ${await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200))}`);
}

/** Waits until a thing has the focus. */
async function focused(thing) {
  await thing.waitFor();
  await until(`the focus on ${thing}`, 5000, () => thing.evaluate((e) => e === document.activeElement));
}

test("a whole call without a mouse and without a reload, from sign-in to paid", async (t) => {
  const town = await Town.start(t);
  const agent = new Agent(town, await town.desk());
  const { page } = agent;
  const keys = page.keyboard;
  const button = (name) => page.getByRole("button", { name, exact: true });
  const rest = (name) => page.getByRole("link", { name, exact: true });
  await page.goto(town.url + "/plus/");
  await keys.type("agent"); // the field has the focus
  await tabsTo(page, page.getByLabel("Password"));
  await keys.type(PASSWORD);
  await keys.press("Enter");
  await button("Sign out").waitFor();
  await page.evaluate(() => { window.sameDocument = true; });

  // The key list.
  await keys.press("?");
  const list = page.getByRole("dialog", { name: "Keys" });
  await seen(list, "Send Secure Payment Link");
  await sound(town, page, "keys");
  await keys.press("Escape");

  // The search.
  await keys.press("/");
  const field = page.getByRole("combobox", { name: "Search clients" });
  await focused(field);
  await keys.type("100");
  assert.equal(await field.getAttribute("aria-expanded"), "false");
  await keys.type("0");
  const options = page.getByRole("option");
  await options.nth(9).waitFor();
  const last = (await options.count()) - 1;
  const chosen = async () => page.locator(`#${await field.getAttribute("aria-activedescendant")}`).innerText();
  for (const [key, n] of [["ArrowDown", 0], ["ArrowUp", last], ["Home", 0], ["End", last], ["ArrowDown", 0], ["ArrowDown", 1]]) {
    await keys.press(key);
    assert.equal(await chosen(), await options.nth(n).innerText(), key);
  }
  await sound(town, page, "search");
  await keys.press("Escape");
  assert.equal(await options.count(), 0);
  await keys.press("Escape");
  assert.equal(await field.inputValue(), "");
  await keys.type("whitf da");
  await page.getByRole("option", { name: /Dana Whitfield/ }).waitFor();
  await page.getByRole("status").filter({ hasText: "1 client found" }).waitFor({ state: "attached" });
  await keys.press("Enter"); // the only one
  await focused(page.getByRole("heading", { level: 1, name: "Dana Whitfield" }));
  assert.match(await page.title(), /^Dana Whitfield, 100042/);
  await sound(town, page, "client");

  // The panel keeps what is typed into it through the tabs, and so does a note.
  await keys.press("s");
  await focused(page.getByLabel("Vehicle", { exact: true }));
  await tabsTo(page, button("Get Summary"));
  await keys.press("Enter");
  await focused(page.getByRole("heading", { name: "Invoice Summary" }));
  await tabsTo(page, agent.phone);
  await keys.press("ControlOrMeta+a");
  await keys.type("804 555 0143");
  await seen(agent.summary, "This is the number of another client: Marcus Bell, 100043.");
  await sound(town, page, "another-number");
  await tabsTo(page, page.getByLabel("Who is paying"));
  await keys.type("s1?t"); // letters are letters while one types
  await tabsTo(page, page.getByLabel(/The payer agreed/));
  await keys.press("2");
  await page.getByRole("region", { name: "Account History" }).waitFor();
  await focused(rest("Account History"));
  await keys.press("4");
  await page.getByRole("heading", { name: "To come" }).waitFor();
  await sound(town, page, "appointments");
  await page.goBack();
  await page.getByRole("region", { name: "Account History" }).waitFor();
  await page.goForward();
  await page.getByRole("heading", { name: "To come" }).waitFor();
  assert.equal(await page.getByLabel("Who is paying").inputValue(), "s1?t");
  await keys.press("n");
  await focused(page.getByLabel("New note"));
  await keys.type("Her brother pays.");
  await keys.press("Tab");
  await keys.press("3");
  await page.getByText("No payment links yet.").waitFor();
  await keys.press("1");
  await page.getByLabel("New note").waitFor();
  assert.equal(await page.getByLabel("New note").inputValue(), "Her brother pays.");
  await tabsTo(page, button("Keep note"));
  await keys.press("Enter");
  await focused(page.getByRole("heading", { name: "Notes" }));
  await seen(page.locator("#written"), /Her brother pays\.\s+J\. Ortiz/);

  // Sending: the number is confirmed, or nothing is sent.
  await agent.phone.focus();
  await tabsTo(page, page.getByLabel(/The payer agreed/));
  await keys.press("Space");
  await agent.phone.focus();
  await tabsTo(page, button("Send Message"));
  await keys.press("Enter");
  await focused(page.getByLabel(/The number is right/));
  assert.equal((await town.messages()).length, 0);
  await keys.press("Space");
  await keys.press("Enter");
  await focused(page.getByRole("heading", { name: "Link status" }));
  await agent.reads("Delivered");
  await seen(page.locator("#client"), "is under way");
  await keys.press("3");
  await seen(page.getByRole("region", { name: "Payment Links" }), /J\. Ortiz[\s\S]*••0143[\s\S]*Another number/);
  await sound(town, page, "links");
  const payer = await Payer.opens(town, await town.linkSentTo("+18045550143"));
  await payer.pays({ number: VISA });
  await agent.reads("Paid $98.58");
  await seen(page.locator("#client"), "Apr 9, 2026"); // without being asked
  assert.equal(await page.evaluate(() => window.sameDocument), true, "the page was loaded anew");

  // The keys can be switched off, and stay off.
  await keys.press("?");
  await list.getByLabel(/Use these keys/).waitFor();
  await keys.press("Space");
  await keys.press("Escape");
  await keys.press("/");
  await page.reload();
  await keys.press("?");
  assert.equal(await list.isVisible(), false);
  assert.equal(await page.evaluate(() => document.activeElement?.id === "q"), false);
  await tabsTo(page, page.getByRole("button", { name: "Keys" }));
  await keys.press("Enter");
  await list.waitFor();
  await charged(town, { amount: 9858 });
});

test("the search on a slow network: what is newer counts, what goes on is said, and a card number is not even sent", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const { page } = agent;
  const field = page.getByRole("combobox", { name: "Search clients" });
  const asked = [];
  /** @type {Map<string, () => void>} */
  const held = new Map();
  await page.route("**/plus/clients", async (route) => {
    const words = new URLSearchParams(route.request().postData()).get("q");
    asked.push(words);
    if (words !== "dana") await new Promise((go) => held.set(words, go));
    await route.continue().catch(() => {}); // it was given up
  });
  await field.fill("mar");
  await page.getByText("Searching…").waitFor();
  await until("the first question", 5000, () => held.has("mar"));
  await field.fill("dana");
  await page.getByRole("option", { name: /Dana Whitfield/ }).waitFor();
  held.get("mar")();
  await page.waitForTimeout(300); // an old answer would have come by now
  assert.equal(await page.getByRole("option").count(), 1);
  assert.match(await page.getByRole("option").innerText(), /Dana/);

  await field.fill("4242 4242 4242 4242");
  await page.getByRole("alert").filter({ hasText: "Never type a card number here." }).waitFor();
  assert.equal(await field.inputValue(), "");
  assert.equal(await page.getByRole("option").count(), 0);
  assert.deepEqual(asked, ["mar", "dana"]);
  await page.unroute("**/plus/clients");
  await field.fill("zzzz");
  await page.locator("#found-note").getByText("No client found.").waitFor();
  await field.fill("8045550145");
  await page.getByRole("option", { name: /Omar Haddad/ }).click();
  await page.getByRole("heading", { level: 1, name: "Omar Haddad" }).waitFor();
  assert.doesNotMatch(page.url(), /555/);
});
