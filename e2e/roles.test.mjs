// Everybody who works here signs in, reads the rooms of their role in the header, and opens every kind of page that links lead to: none leads to a refusal or into nothing, axe finds nothing on any,
// at a desk and on a phone, and none is wider than the narrowest screen.
import assert from "node:assert/strict";
import test from "node:test";
import { Agent, Payer, seen } from "./lib/people.mjs";
import { axe, Town } from "./lib/town.mjs";

const ROOMS = {
  agent: ["Links"],
  lead: ["Links"],
  supervisor: ["Links", "Reports", "Finance"],
  finance: ["Finance"],
  admin: ["Admin"],
  auditor: ["Links", "Reports", "Finance", "Admin", "Trail"],
};
const MOST = 90; // kinds of pages that one role opens

/** An address without what makes it one of many: ids, and most of its query. What is open beside a client's tabs looks the same beside each. */
function kind(address) {
  const url = new URL(address);
  const path = url.pathname.replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{6}|[A-Z]{2}-[A-Z]{3}|(veh|inv|fee|staff|note|card)[-_][\w-]+/g, "{}");
  const asks = ["panel", "payment", "ask", "add", "take"].filter((name) => url.searchParams.has(name));
  return `${path}?${asks.length > 0 ? asks.join(" ") : url.searchParams.get("tab") ?? ""}`;
}

/** What a page is like, without showing it: its status, where its links and forms lead, and what there is to press. */
function look(page, address) {
  return page.evaluate(async (address) => {
    const answer = await fetch(address, { cache: "no-store" });
    const html = (answer.headers.get("Content-Type") ?? "").startsWith("text/html") ? await answer.text() : "";
    const at = new DOMParser().parseFromString(html, "text/html");
    const whole = (to) => new URL(to || answer.url, answer.url).href;
    const forms = [...at.querySelectorAll("form")].map((form) => ({
      method: (form.getAttribute("method") ?? "get").toLowerCase(), action: whole(form.getAttribute("action")), fields: new URLSearchParams(new FormData(form)).toString(),
    }));
    return {
      status: answer.status, address: answer.url, isPage: html !== "", forms, links: [...at.querySelectorAll("a[href]")].map((a) => whole(a.getAttribute("href"))),
      buttons: [...at.querySelectorAll("main button, main h2, main th")].map((b) => (b.textContent ?? "").replace(/[\d$.,:]+/g, "").trim()).sort().filter((b, i, all) => b !== all[i - 1]).join("|"),
    };
  }, address);
}

test("each role opens everything that its pages lead to", async (t) => {
  const town = await Town.start(t);
  const desk = await Agent.at(town);
  const payer = await Payer.opens(town, await desk.sends({ client: "100042" }));
  await payer.pays();
  await desk.reads("Paid.");
  await desk.sends({ client: "100043", vehicle: "veh_marcus_f150" });
  const seenBefore = new Set(); // pages of one kind with the same on them look the same to everybody
  let opened = 0;
  for (const [role, rooms] of Object.entries(ROOMS)) {
    await t.test(role, async () => {
      const { page } = await Agent.at(town, { login: role });
      assert.deepEqual(await page.getByRole("navigation", { name: "Rooms" }).getByRole("link").evaluateAll((links) => links.map((a) => a.firstChild?.textContent?.trim())), rooms);
      const wrong = [];
      const known = new Set();
      const queue = [];
      const acts = new Map();
      const add = (address, from) => {
        address = address.split("#")[0];
        if (!address.startsWith(town.url + "/plus") || known.has(kind(address))) return;
        known.add(kind(address));
        queue.push([address, from]);
      };
      const vehicle = "panel=send&vehicle=veh_dana_civic&days=30";
      for (const path of ["/plus/", "/plus/clients?q=b", "/plus/clients/100042?tab=history", `/plus/clients/100043?panel=send&tab=account`, ...(["agent", "lead", "supervisor"].includes(role) ? [`/plus/clients/100042?${vehicle}`] : [])]) add(town.url + path, "the start");
      for (let n = 0; queue.length > 0; n++) {
        assert.ok(n < MOST, `more kinds of pages than ${MOST}: ${[...known].join("\n")}`);
        const [address, from] = queue.shift();
        const got = await look(page, address);
        if (got.status >= 400) {
          wrong.push(`${from} leads to ${address}, which answers ${got.status}`);
          continue;
        }
        if (!got.isPage) continue;
        for (const link of got.links) add(link, address);
        for (const form of got.forms) {
          if (form.method === "get") add(`${form.action}?${form.fields}`, address);
          else if (form.method === "post") acts.set(kind(form.action), [form.action, address]);
        }
        const same = `${kind(got.address)} ${got.buttons}`;
        if (seenBefore.has(same)) continue;
        seenBefore.add(same);
        opened++;
        const name = `${role}-${kind(got.address).replace(/[^a-z0-9]+/gi, "-").slice(0, 60)}-${opened}`;
        await page.setViewportSize({ width: 1280, height: 900 });
        await page.goto(address, { waitUntil: "load" });
        wrong.push(...(await axe(page)).map((line) => `${address}: ${line}`));
        if (process.env.PICTURES) await town.picture(page, name);
        await page.setViewportSize({ width: 390, height: 844 });
        wrong.push(...(await axe(page)).map((line) => `${address} on a phone: ${line}`));
        if (process.env.PICTURES) await town.picture(page, name + "-phone");
        await page.setViewportSize({ width: 320, height: 700 });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        if (wide > 320) wrong.push(`${address}: ${wide} px wide on a screen of 320`);
      }
      // What a page offers to press, the role may press: an empty form is refused for what it lacks, and not for who sends it.
      for (const [action, from] of acts.values()) {
        if (/sign-out|sessions\/end/.test(action)) continue;
        const status = await page.evaluate(async (to) => (await fetch(to, { method: "POST", body: new URLSearchParams(), redirect: "manual" })).status, action);
        if ([403, 404, 405].includes(status) || status >= 500) wrong.push(`${from} offers ${action}, which answers ${status}`);
      }
      await page.goto("about:blank");
      assert.deepEqual(wrong, []);
    });
  }
  t.diagnostic(`${opened} kinds of pages were looked at`);

  await t.test("a card number that is typed anywhere is stopped while it is typed", async () => {
    const { page } = desk;
    const asked = [];
    page.on("request", (request) => { if (request.method() === "POST") asked.push(request.postData() ?? ""); });
    const search = page.getByRole("searchbox", { name: "Search clients" }).or(page.getByRole("combobox", { name: "Search clients" }));
    await search.fill("4242 4242 4242 4242");
    await seen(page.getByRole("alert").filter({ hasText: "card number" }), "Never type a card number here.");
    assert.deepEqual(await axe(page), []);
    await search.press("Enter");
    assert.equal(await search.evaluate((field) => field === document.activeElement), true, "the focus is where it is wrong");
    await search.fill("4242 4242");
    await page.getByText("Never type a card number here.").waitFor({ state: "detached" });
    assert.deepEqual(asked.filter((body) => body.replace(/\D/g, "").includes("4242424242424242")), []);
  });
});
