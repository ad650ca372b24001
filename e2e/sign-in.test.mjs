// Who may come in at PLUS Web, and what each may do there.
import assert from "node:assert/strict";
import test from "node:test";
import { Agent, charged, PASSWORD, seen } from "./lib/people.mjs";
import { Town } from "./lib/town.mjs";

test("wrong passwords, a lock, and its end", async (t) => {
  const town = await Town.start(t);
  const agent = new Agent(town, await town.desk());
  await agent.page.goto(town.url + "/plus/");
  const alert = agent.page.getByRole("main").getByRole("alert");
  for (const [login, password] of [["agent", "wrong"], ["nobody", PASSWORD]]) {
    await agent.signsIn(login, password);
    await seen(alert, "The login or the password is wrong. Check both and try again."); // and not which of them
    assert.equal(await agent.page.getByLabel("Password").inputValue(), "");
  }
  await town.picture(agent.page, "sign-in-wrong");
  for (let n = 2; n <= 4; n++) {
    await agent.signsIn("agent", "wrong" + n);
    await seen(alert, "The login or the password is wrong.");
  }
  await agent.signsIn("agent", "wrong5");
  await seen(alert, "Too many wrong passwords. This login is locked for 15 minutes; your lead can help.");
  await agent.signsIn("agent", PASSWORD);
  await seen(alert, "Too many wrong passwords.");
  await town.picture(agent.page, "sign-in-locked");
  await agent.signsIn("lead", PASSWORD); // others can
  await agent.presses("Sign out");
  await town.clock("15m");
  await agent.signsIn("agent", PASSWORD);
  await agent.page.getByRole("button", { name: "Sign out" }).waitFor();
});

test("signing out, and a session that is over, end at the sign-in page and come back", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const { page } = agent;
  const gate = page.getByRole("heading", { level: 1, name: "Sign in" });
  await agent.sees("100042");
  const [session] = await page.context().cookies();
  assert.deepEqual([session.name, session.httpOnly, session.secure, session.sameSite], ["__Host-plus", true, true, "Lax"]);
  await agent.presses("Sign out");
  await gate.waitFor();
  await page.goBack({ waitUntil: "commit" });
  await gate.waitFor(); // the client's page is not shown from the browser's memory
  await page.context().addCookies([session]);
  await page.goto(town.url + "/plus/clients/100042");
  await gate.waitFor(); // the old cookie is worth nothing

  await agent.signsIn("agent", PASSWORD);
  await page.getByRole("heading", { level: 1, name: "Dana Whitfield" }).waitFor(); // where they wanted to go
  await agent.sends({ client: "100042" });
  await town.clock("31m");
  await agent.reads("You are signed out.", 15_000); // a page that only watches does not keep a session alive
  await town.picture(page, "signed-out-while-watching");
  await page.getByRole("link", { name: "Sign in to go on" }).click();
  await gate.waitFor();
  await agent.signsIn("agent", PASSWORD);
  await agent.reads("The link has expired.");
  await charged(town);
});

test("an auditor reads everything and can send, resend and cancel nothing", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  await agent.sends({ client: "100042" });
  const payment = new URL(agent.page.url()).searchParams.get("payment");
  assert.ok(payment, "the address names the payment");
  const auditor = await Agent.at(town, { login: "auditor" });
  await auditor.page.goto(`${town.url}/plus/clients/100042?payment=${payment}`);
  await auditor.reads("Delivered");
  await town.picture(auditor.page, "auditor");
  for (const name of ["Send Secure Payment Link", "Get Summary", "Send Message", "Resend", "Cancel link"]) {
    assert.equal(await auditor.page.getByRole("button", { name, exact: true }).filter({ visible: true }).count(), 0, name);
  }
  // Nor by hand.
  const statuses = await auditor.page.evaluate(async (payment) => {
    const post = (path, fields) => fetch(path, { method: "POST", body: new URLSearchParams(fields) }).then(({ status }) => status);
    return Promise.all([
      post("/plus/clients/100045/links", { vehicle: "veh_omar_pam", days: "30", shown: "15900", key: "auditor-key", phone: "8045550145" }),
      post(`/plus/payments/${payment}/resend`, {}),
      post(`/plus/payments/${payment}/cancel`, { reason: "The caller asked for it" }),
      fetch("/plus/clients/100045?panel=send&vehicle=veh_omar_pam&days=30").then(({ status }) => status),
    ]);
  }, payment);
  assert.deepEqual(statuses.slice(0, 3), [403, 403, 403]);
  assert.equal((await town.messages()).length, 1);
  await agent.reads("The text was delivered.");
});

test("clients are found by id, name, phone and plate, and a telephone number stays out of addresses", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const { page } = agent;
  const addresses = [];
  page.on("request", (request) => addresses.push(request.url()));
  const finds = async (words) => {
    await page.getByRole("combobox", { name: "Search clients" }).fill(words);
    await page.keyboard.press("Enter");
  };
  for (const words of ["100046", "804 555 0146", "(804) 555-0146"]) {
    await page.goto(town.url + "/plus/");
    await finds(words);
    await page.getByRole("heading", { level: 1, name: "Lucía Serrano" }).waitFor();
  }
  for (const words of ["serrano", "Lucía", "604-KQR"]) {
    await finds(words);
    await page.getByRole("link", { name: "Lucía Serrano" }).waitFor();
  }
  await finds("nobody at all");
  await seen(page.getByRole("main"), "No client found.");
  await finds("4242 4242 4242 4242");
  await page.getByRole("alert").filter({ hasText: "Never type a card number here." }).waitFor();
  assert.doesNotMatch(await page.content(), /4242 ?4242/);
  await finds("'; DROP TABLE clients; --");
  await seen(page.getByRole("main"), "No client found.");
  await finds("<b>bold</b>");
  await seen(page.getByRole("main"), "<b>bold</b>");
  for (const address of addresses) assert.doesNotMatch(decodeURIComponent(address), /555.?0146|4242/, "a number is in an address");
});
