// Whatever is pressed twice, on one phone or on two: one charge, and the others are told.
import assert from "node:assert/strict";
import test from "node:test";
import { Agent, AMEX, charged, charges, MASTERCARD, Payer, seen, VISA } from "./lib/people.mjs";
import { Town, until } from "./lib/town.mjs";

// Confirms take this long, so that both presses are under way at once.
const slowly = { stripe: { rules: [{ op: "confirm", kind: "slow", rate: 1, delay_ms: 2000 }] } };

test("two phones at once on one link: one charge", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const link = await agent.sends({ client: "100042" });
  const phones = await Promise.all([Payer.opens(town, link), Payer.opens(town, link)]);
  await phones[0].fills({ number: VISA });
  await phones[1].fills({ number: MASTERCARD });
  await town.faults(slowly);
  await Promise.all(phones.map((payer) => payer.presses()));
  await agent.reads("The payer is paying right now.");
  // One of them pays; the other is told at once that it is being paid, and later that it is.
  const told = await until("one phone to be told", 10_000, async () => {
    for (const payer of phones) {
      if (/being made on another device/.test(await payer.page.locator("body").innerText().catch(() => ""))) return payer;
    }
  });
  await town.picture(told.page, "payer-elsewhere");
  const pays = phones.find((payer) => payer !== told);
  await pays.gets("Payment received");
  await told.gets("This payment has already been made");
  await told.cannotPay();
  await agent.reads("Paid $98.58");
  await charged(town, { amount: 9858 });
});

test("a link that is being paid says so to whoever opens it", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const link = await agent.sends({ client: "100042" });
  const payer = await Payer.opens(town, link);
  await payer.fills({ number: VISA });
  await town.faults({ stripe: { rules: [{ op: "confirm", kind: "slow", rate: 1, delay_ms: 4000 }] } });
  await payer.presses();
  await agent.reads("The payer is paying right now.");
  const other = await Payer.opens(town, link);
  await other.gets("This payment is being made right now");
  await other.cannotPay();
  await town.picture(other.page, "payer-being-paid");
  await payer.gets("Payment received");
  await other.gets("This payment has already been made"); // by itself
  await charged(town, { amount: 9858 });
});

test("a double tap and a held Enter key: one charge", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  await town.faults(slowly);
  for (const [client, press] of [
    ["100042", async ({ page, button }) => {
      await button.scrollIntoViewIfNeeded();
      const box = await button.boundingBox();
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
      for (let n = 0; n < 4; n++) await page.touchscreen.tap(x, y);
    }],
    ["100045", async ({ page, zip }) => {
      await zip.focus();
      for (let n = 0; n < 6; n++) await page.keyboard.down("Enter"); // repeats, as a held key does
      await page.keyboard.up("Enter");
    }],
  ]) {
    const payer = await Payer.opens(town, await agent.sends({ client }));
    await payer.fills({ number: VISA });
    let posts = 0;
    payer.page.on("request", (request) => { if (request.url().endsWith("/pay/charge")) posts++; });
    await press(payer);
    await payer.reads("Sending your payment…");
    assert.equal(await payer.button.getAttribute("aria-busy"), "true");
    await payer.gets("Payment received");
    assert.equal(posts, 1, "the page asked for the charge more than once");
  }
  await charged(town, { amount: 9858 }, { amount: 15900 });
});

test("the same press sent again by a network gives the same payment", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const payer = await Payer.opens(town, await agent.sends({ client: "100042" }));
  const page = payer.page;
  await payer.fills({ number: VISA });
  const answers = [];
  await page.route("**/pay/charge", async (route) => {
    const sent = route.request();
    const again = () => fetch(sent.url(), { method: "POST", headers: cookies, body: sent.postData() }).then((answer) => answer.json().then(({ state }) => [answer.status, state]));
    const cookies = await sent.allHeaders();
    for (const name of Object.keys(cookies)) if (name.startsWith(":") || name === "content-length" || name === "accept-encoding") delete cookies[name];
    const first = await again();
    answers.push(first, await again(), ...await Promise.all([again(), again()]));
    await route.continue();
  });
  await payer.presses();
  await payer.gets("Payment received");
  assert.deepEqual(answers, Array(4).fill([200, "paid"]));
  await charged(town, { amount: 9858 });
});

test("two links in one browser: the page of the first charges nothing once the second was opened", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const first = await agent.sends({ client: "100043", vehicle: "veh_marcus_f150" });
  const second = await agent.sends({ client: "100043", vehicle: "veh_marcus_camry" });
  const truck = await Payer.opens(town, first);
  await truck.reads("$125.25");
  await truck.fills({ number: VISA });
  const car = new Payer(town, await truck.page.context().newPage());
  await car.taps(second);
  await car.reads("$82.88");
  const answer = truck.page.waitForResponse("**/pay/charge");
  await truck.presses();
  assert.equal((await answer).status(), 409);
  await truck.reads("Another payment link was opened in this browser. Nothing was charged. Check the new one before you pay.");
  await truck.cannotPay();
  await town.picture(truck.page, "payer-other-link");
  await charged(town);
  await truck.page.getByRole("link", { name: "Show the other payment" }).tap();
  await truck.reads("$82.88");
  await truck.pays({ number: VISA });
  await agent.reads("Paid $82.88");
  await charged(town, { amount: 8288 });
});

test("American Express is refused by name while typing, and by the server", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const payer = await Payer.opens(town, await agent.sends({ client: "100042" }));
  const number = payer.field("Card number");
  await number.pressSequentially(AMEX.slice(0, 4));
  await payer.reads("American Express is not accepted here. Please use a Visa or Mastercard.");
  await payer.types({ number: AMEX, code: "1234" });
  await payer.zip.fill("10001");
  await payer.agree.check();
  assert.equal(await payer.button.getAttribute("aria-disabled"), "true");
  let posts = 0;
  payer.page.on("request", (request) => { if (request.method() === "POST" && new URL(request.url()).pathname === "/pay/charge") posts++; });
  await payer.button.tap({ force: true }); // it says what is missing, and sends nothing
  await payer.reads("Still needed: card number.");
  assert.equal(posts, 0);
  await town.picture(payer.page, "payer-amex");

  // A page that is not ours sends one all the same.
  const made = await fetch(town.sim + "/v1/payment_methods", { method: "POST", body: new URLSearchParams({
    type: "card", "card[number]": AMEX, "card[exp_month]": "12", "card[exp_year]": "2034", "card[cvc]": "1234", key: "pk_test_paysim_demonstration_only",
  }) });
  assert.equal(made.status, 200);
  const { id } = await made.json();
  const [status, answer] = await payer.page.evaluate(async (payment_method) => {
    const config = JSON.parse(document.querySelector("script[type='application/json']").textContent);
    const said = await fetch("/pay/charge", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ payment_method, terms: config.terms, nonce: config.nonce }) });
    return [said.status, await said.json()];
  }, id);
  assert.equal(status, 422);
  assert.equal(answer.message, "Only Visa and Mastercard are accepted here. Nothing was charged. Please use another card.");
  await seen(agent.status, "The payer has opened the link.");
  assert.doesNotMatch(await agent.status.innerText(), /declined|ending/i, "it counts as an attempt");
  assert.deepEqual(await charges(town), []);

  await payer.types({ number: MASTERCARD, code: "123" }); // the fault goes away with the number
  await payer.presses();
  await payer.gets("Payment received");
  await charged(town, { amount: 9858, brand: "mastercard" });
});
