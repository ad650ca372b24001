// Every page as people meet it who do not see it, do not use a mouse, need large letters, or hold a narrow phone; in both languages, light and dark.
import assert from "node:assert/strict";
import test from "node:test";
import { Agent, charged, DECLINED, Payer, PASSWORD, seen, VISA } from "./lib/people.mjs";
import { axe, Town } from "./lib/town.mjs";

/**
 * Looks a page over: nothing for axe to find, light and dark; nothing to scroll sideways for, at 320 pixels and with letters of twice the size. It takes
 * pictures.
 */
async function lookOver(town, page, name) {
  const size = page.viewportSize();
  const found = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    found.push(...(await axe(page)).map((line) => `${colorScheme}: ${line}`));
    await town.picture(page, `${name}-${colorScheme}`);
  }
  const sideways = () => page.evaluate(() => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth) return [];
    const wide = [...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > root.clientWidth + 1 && !e.closest("[role=region][tabindex]"));
    return [`${root.scrollWidth} px wide of ${root.clientWidth}: ${wide.slice(0, 3).map((e) => e.outerHTML.slice(0, 100)).join(" | ")}`];
  });
  await page.setViewportSize({ width: 320, height: 700 });
  await page.evaluate(() => new Promise((painted) => requestAnimationFrame(() => requestAnimationFrame(painted))));
  found.push(...(await sideways()).map((line) => `at 320 px: ${line}`));
  await town.picture(page, `${name}-320`);
  await page.setViewportSize(size);
  await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
  found.push(...(await sideways()).map((line) => `with letters of twice the size: ${line}`));
  await town.picture(page, `${name}-large`);
  await page.evaluate(() => { document.documentElement.style.fontSize = ""; });
  await page.emulateMedia({ colorScheme: null, reducedMotion: null });
  assert.deepEqual(found, [], name);
}

/** Presses Tab until a thing has the focus, as somebody without a mouse does. */
async function tabsTo(page, thing, most = 30) {
  for (let n = 0; n < most; n++) {
    await page.keyboard.press("Tab");
    if (await thing.evaluate((e) => e === document.activeElement).catch(() => false)) return;
  }
  const at = await page.evaluate(() => document.activeElement?.outerHTML.slice(0, 200));
  throw new Error(`Tab does not lead to ${thing}; after ${most} it is at ${at}`);
}

test("the payer's pages, in English and Spanish", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const payer = await Payer.opens(town, await agent.sends({ client: "100042" }));
  const { page } = payer;
  for (const language of ["es", "en"]) {
    await t.test(`the card form: ${language}`, async () => {
      await page.goto(`${town.url}/pay?lang=${language}`);
      await payer.field(/^(Card number|Número de tarjeta)$/).waitFor();
      await lookOver(town, page, `pay-${language}`);
      await page.getByRole("link", { name: /payment terms|términos de pago/ }).tap();
      await page.getByRole("dialog").waitFor();
      await lookOver(town, page, `terms-${language}`);
    });
  }
  await t.test("a decline and what is missing", async () => {
    await page.goto(town.url + "/pay");
    await payer.fills({ number: DECLINED });
    await payer.presses();
    await payer.reads("You can try 4 more times.");
    await payer.zip.fill("12");
    await payer.field("Card number").fill("378282246310005");
    await payer.field("Security code").focus();
    await payer.reads("Enter a ZIP code of 5 digits");
    await lookOver(town, page, "declined");
  });
  await t.test("the receipt", async () => {
    await page.goto(town.url + "/pay");
    await payer.pays({ number: VISA });
    for (const language of ["es", "en"]) {
      await page.goto(`${town.url}/pay/receipt?lang=${language}`);
      await lookOver(town, page, `receipt-${language}`);
    }
  });
  const other = await town.phone();
  for (const [name, go] of [
    ["the landing page without a link", () => other.goto(town.url + "/p?lang=es")],
    ["a dead link", () => other.goto(town.url + "/p#AAAAAAAAAAAAAAAAAAAAAAAAAA")],
    ["no session", () => other.goto(town.url + "/pay?lang=es")],
    ["no such page", () => other.goto(town.url + "/nowhere")],
    ["used", async () => { await other.goto(await town.linkSentTo("+18045550142")); await other.waitForURL(town.url + "/pay"); }],
  ]) {
    await t.test(name, async () => {
      await go();
      await other.getByRole("heading", { level: 1 }).filter({ visible: true }).waitFor();
      await lookOver(town, other, name.replaceAll(" ", "-"));
    });
  }
  await charged(town, { amount: 9858 });
});

test("PLUS Web's pages", async (t) => {
  const town = await Town.start(t);
  const agent = new Agent(town, await town.desk());
  const { page } = agent;
  const client = `${town.url}/plus/clients/100043`;
  for (const [name, go] of [
    ["sign-in", () => page.goto(town.url + "/plus/")],
    ["sign-in-wrong", () => agent.signsIn("agent", "wrong").then(() => page.getByRole("main").getByRole("alert").waitFor())],
    ["home", () => agent.signsIn("agent", PASSWORD).then(() => page.getByRole("button", { name: "Sign out" }).waitFor())],
    ["found", () => page.goto(town.url + "/plus/clients?q=a")],
    ["client", () => page.goto(client)],
    ["blocked", () => page.goto(town.url + "/plus/clients/100044")],
    ["history", () => page.goto(town.url + "/plus/clients/100042?tab=history")],
    ["summary", async () => {
      await agent.quotes({ client: "100043", vehicle: "veh_marcus_f150" });
      await agent.phone.fill("804 555 0161");
      await agent.presses("Send Message");
      await seen(agent.summary, "Ask whether the payer agrees");
    }],
    ["status", async () => {
      await page.getByLabel(/The payer agreed/).check();
      await agent.presses("Send Message");
      await agent.reads("Delivered");
    }],
    ["cancel", async () => {
      await agent.presses("Cancel link");
      await page.getByRole("dialog").waitFor();
    }],
    ["links", () => page.goto(client + "?tab=links")],
    ["no-such-client", () => page.goto(town.url + "/plus/clients/999999")],
  ]) {
    await t.test(name, async () => {
      await go();
      await lookOver(town, page, name);
    });
  }
});

test("the storybook, in English and Spanish", async (t) => {
  const town = await Town.start(t);
  const page = await town.desk();
  for (const language of ["en", "es"]) {
    await page.goto(`${town.url}/storybook?lang=${language}`);
    await lookOver(town, page, `storybook-${language}`);
  }
});

test("an agent sends a link with the keyboard alone", async (t) => {
  const town = await Town.start(t);
  const agent = new Agent(town, await town.desk());
  const { page } = agent;
  const keys = page.keyboard;
  await page.goto(town.url + "/plus/");
  await keys.type("agent"); // the field has the focus
  await keys.press("Tab");
  await keys.type(PASSWORD);
  await keys.press("Enter");
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  await keys.press("/");
  await keys.type("Whitfield");
  await keys.press("Enter");
  const found = page.getByRole("link", { name: "Dana Whitfield" });
  await found.waitFor();
  await tabsTo(page, found);
  await keys.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Dana Whitfield" }).waitFor();
  await tabsTo(page, agent.opener);
  await keys.press("Enter");
  const vehicle = page.getByLabel("Vehicle", { exact: true });
  await vehicle.waitFor();
  await assertFocus(vehicle);
  await keys.press("Tab");
  await keys.press("ArrowRight"); // 14 or 30, whichever comes of it
  await agent.days(30).focus();
  await keys.press("Space");
  await tabsTo(page, page.getByRole("button", { name: "Get Summary" }));
  await keys.press("Enter");
  await agent.summary.waitFor();
  await assertFocus(page.getByRole("heading", { name: "Invoice Summary" })); // so that it is read out
  await tabsTo(page, agent.phone);
  await tabsTo(page, page.getByRole("button", { name: "Send Message" }));
  await keys.press("Enter");
  await agent.reads("Delivered");
  await assertFocus(page.getByRole("heading", { name: "Link status" }));
  await tabsTo(page, page.getByRole("button", { name: "Cancel link" }));
  await keys.press("Enter");
  await assertFocus(page.getByLabel("Reason"));
  await keys.press("Escape");
  await assertFocus(page.getByRole("button", { name: "Cancel link" }));
  assert.equal((await town.messages()).length, 1);
});

async function assertFocus(thing) {
  await thing.waitFor();
  const held = await thing.evaluate((e) => new Promise((resolve) => {
    const look = (left) => (e === document.activeElement || left === 0 ? resolve(e === document.activeElement) : setTimeout(look, 50, left - 1));
    look(40);
  }));
  assert.ok(held, `the focus is not on ${thing}`);
}

test("a payer pays with the keyboard alone, and is told what is missing", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const payer = await Payer.opens(town, await agent.sends({ client: "100042" }), { desk: true });
  const { page } = payer;
  const keys = page.keyboard;
  await payer.field("Card number").waitFor();
  assert.equal(await payer.button.getAttribute("aria-disabled"), "true");
  assert.equal(await payer.button.isDisabled(), true); // as a screen reader says it
  assert.equal(await payer.button.evaluate((e) => e.hasAttribute("disabled")), false, "it can't be focused");
  const described = () => payer.button.evaluate((e) => document.getElementById(e.getAttribute("aria-describedby")).textContent);
  assert.equal(await described(), "Still needed: card number, expiration date, security code, ZIP code, your agreement to the terms.");
  await tabsTo(page, payer.button);
  await keys.press("Enter");
  await page.getByRole("status").filter({ hasText: "Still needed: card number" }).waitFor({ state: "attached" });
  // The focus is now in the first field that is missing; from there it goes on by Tab.
  for (const [name, text] of [["Card number", VISA], ["Expiration date", "1234"], ["Security code", "123"]]) {
    await assertFocus(payer.field(name));
    await keys.type(text);
    await keys.press("Tab");
  }
  await assertFocus(payer.zip);
  await keys.type("2321");
  await keys.press("Tab");
  await payer.reads("Enter a ZIP code of 5 digits, such as 23219.");
  await keys.press("Shift+Tab");
  await keys.type("9"); // what was typed is still there, and is selected or not as the browser likes
  if ((await payer.zip.inputValue()) !== "23219") await payer.zip.fill("23219");
  await tabsTo(page, payer.agree);
  assert.equal(await described(), "Still needed: your agreement to the terms.");
  const terms = page.getByRole("link", { name: "payment terms" });
  await tabsTo(page, terms);
  await keys.press("Enter");
  await page.getByRole("dialog", { name: /Payment terms, version 1/ }).waitFor();
  await keys.press("Escape");
  await assertFocus(terms);
  await keys.press("Shift+Tab");
  await assertFocus(payer.agree);
  await keys.press("Space");
  await page.getByRole("status").filter({ hasText: "Everything is filled in." }).waitFor({ state: "attached" });
  assert.equal(await described(), "");
  await tabsTo(page, payer.button);
  await keys.press("Enter");
  await payer.gets("Payment received");
  await charged(town, { amount: 9858 });
});
