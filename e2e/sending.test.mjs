// What an agent may send and what not, who gets it and in which language, and what is said when a text does not arrive.
import assert from "node:assert/strict";
import test from "node:test";
import { Agent, charged, charges, MASTERCARD, Payer, seen, VISA } from "./lib/people.mjs";
import { Town, until } from "./lib/town.mjs";

test("what can't be sent says why, and sends nothing", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const page = agent.page;
  const main = page.getByRole("main");
  const sendable = () => page.getByRole("button", { name: "Send Message" }).filter({ visible: true }).count();

  await t.test("a location that takes no payments", async () => {
    await agent.sees("100044");
    await seen(main, "Baltimore, MD is not set up to take payments. No link can be sent; tell your lead.");
    await town.picture(page, "agent-not-configured");
    if (await agent.opener.isEnabled()) {
      await agent.quotes({ client: "100044" });
      await seen(agent.summary, "$79.50");
      assert.equal(await sendable(), 0);
    }
  });
  await t.test("an account in collections", async () => {
    await agent.quotes({ client: "100050" });
    await seen(agent.summary, "The account is in collections. Only the collections company may take its payments; no link can be sent.");
    assert.equal(await sendable(), 0);
    await town.picture(page, "agent-collections");
  });
  await t.test("nothing due, since the credit covers it", async () => {
    const said = await agent.quotes({ client: "100048" });
    for (const words of ["$0.00", "Nothing is due: the credit covers all of it.", "54.11"]) assert.ok(said.includes(words), `${words}: ${said}`);
    assert.equal(await sendable(), 0);
    await town.picture(page, "agent-nothing-due");
    await agent.sees("100048");
    await seen(main, "($134.55)");
  });
  await t.test("unpaid days and a labor fee are told", async () => {
    const said = await agent.quotes({ client: "100051" });
    for (const words of ["Unpaid days, 8", "$139.08", "8 days since the Paid To Date are not paid", "Labor fee $25.00"]) assert.ok(said.includes(words), `${words}: ${said}`);
    await town.picture(page, "agent-unpaid-days");
  });
  await t.test("Auto Pay is due soon", async () => {
    await seen(agent.summary, "Total Due Amount");
    assert.match(await agent.quotes({ client: "100047" }), /Auto Pay is on and charges within 1 day/);
  });
  await t.test("a number that opted out, until START comes from it", async () => {
    await agent.quotes({ client: "100049" });
    await seen(agent.summary, "The client’s number has opted out of our texts.");
    await agent.presses("Send Message");
    await seen(agent.summary, "This number has opted out of our texts. The caller can text START to us from it, or give another number.");
    await town.picture(page, "agent-opted-out");
    assert.equal((await town.messages()).length, 0);
    const phone = await town.phone();
    await phone.goto(`${town.sim}/phone?number=%2B18045550149`);
    await phone.getByRole("button", { name: "START" }).tap();
    await until("the reply to arrive", 5000, async () => (await town.messages()).some(({ body }) => body === "START"));
    await agent.presses("Send Message");
    await agent.reads("Delivered");
    await phone.getByRole("button", { name: "STOP" }).tap();
    await until("STOP to arrive", 5000, async () => (await town.messages()).some(({ body }) => body === "STOP"));
    await agent.cancels();
    await agent.reads("The link was cancelled.");
    await agent.quotes({ client: "100049" });
    await seen(agent.summary, "has opted out of our texts");
  });
  await t.test("numbers that are none, landlines, and numbers that look like a card", async () => {
    await agent.quotes({ client: "100042" });
    const sent = (await town.messages()).length;
    for (const [number, words] of [
      ["", "This is no telephone number of the United States. Enter 10 digits, such as (804) 555-0142."],
      ["12345", "This is no telephone number of the United States."],
      ["+44 20 7946 0018", /This is no telephone number of the United States|can’t get texts/],
      ["800 555 0142", /can’t get texts|no telephone number/],
      ["804 555 0180", "This number is a landline and can’t get texts. Ask for a mobile number."],
    ]) {
      await agent.phone.fill(number);
      if (await page.getByLabel(/The payer agreed/).isVisible()) await page.getByLabel(/The payer agreed/).check();
      await agent.presses("Send Message");
      await seen(agent.summary, words);
      assert.equal(await agent.phone.getAttribute("aria-invalid"), "true", `${number} is not marked as wrong`);
    }
    await town.picture(page, "agent-wrong-number");
    await agent.phone.fill("804 555 0162");
    await page.getByLabel(/The payer agreed/).check();
    await page.getByLabel("Who is paying").fill("Ana 4242 4242 4242 4242");
    await agent.presses("Send Message");
    await page.getByRole("alert").filter({ hasText: "Never type a card number here." }).waitFor(); // it is not even sent
    assert.equal((await town.messages()).length, sent, "a text went out");
  });
  assert.deepEqual(await charges(town), []);
});

test("the total moved between the summary and Send Message: nothing is sent, and the new total is shown", async (t) => {
  const town = await Town.start(t, { now: "2026-03-11T03:50:00Z" }); // ten to midnight in Richmond
  const agent = await Agent.at(town);

  await t.test("by midnight", async () => {
    assert.match(await agent.quotes({ client: "100042" }), /\$98\.58/);
    await town.clock("15m");
    await agent.presses("Send Message");
    await seen(agent.summary, "The total has changed from $98.58 to $101.87 since the summary was shown. Nothing was sent. Read out the new total below, then send.");
    await seen(agent.summary, "Unpaid days, 1");
    await town.picture(agent.page, "agent-total-moved");
    assert.equal((await town.messages()).length, 0);
    await agent.presses("Send Message"); // having read it out
    const payer = await Payer.opens(town, await town.linkSentTo("+18045550142"));
    await payer.reads("$101.87");
  });
  await t.test("by another link of the same account, which has counted what is past due", async () => {
    const said = await agent.quotes({ client: "100043", vehicle: "veh_marcus_f150", days: 14 });
    const other = new Agent(town, await agent.page.context().newPage());
    await other.sends({ client: "100043", vehicle: "veh_marcus_camry" });
    const before = /Total Due Amount\s+(\S+)/.exec(said)[1];
    await agent.presses("Send Message");
    await seen(agent.summary, `The total has changed from ${before} to `);
    assert.equal((await town.messages()).filter(({ to }) => to === "+18045550143").length, 1);
    assert.doesNotMatch(await agent.summary.innerText(), /42\.37/);
  });
});

test("two vehicles of one client, paid into the location's own Stripe account", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const truck = await agent.sends({ client: "100043", vehicle: "veh_marcus_f150" });
  await seen(agent.summary, "$125.25");
  const car = await agent.sends({ client: "100043", vehicle: "veh_marcus_camry" });
  await seen(agent.summary, "$82.88");
  await agent.sees("100043");
  await seen(agent.page.getByRole("main"), /Balance\s+\$42\.37/); // what is reserved is still owed
  const [one, two] = [await Payer.opens(town, truck), await Payer.opens(town, car)];
  await one.reads("Past due");
  await two.pays({ number: MASTERCARD });
  await one.pays({ number: VISA }); // the second vehicle's payment did not disturb the first's
  await one.reads("$125.25");
  const account = "acct_1DemoTampaInterlane";
  await charged(town, { account, amount: 8288, brand: "mastercard" }, { account, amount: 12525, brand: "visa" });
  await agent.sees("100043");
  await seen(agent.page.getByRole("main"), /Balance\s+\$0\.00/);
});

test("a Spanish client is texted in Spanish, and reads Spanish until English is chosen", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const link = await agent.sends({ client: "100046" });
  const text = (await town.messages()).at(-1).body;
  assert.match(text, /^Interlane: pago seguro, enlace vale 10 min: http\S+ Ayuda \S+.* STOP para cancelar$/);
  assert.ok(text.length <= 160, "more than one segment");
  const payer = await Payer.opens(town, link); // an English browser
  const lang = () => payer.page.locator("html").getAttribute("lang");
  assert.equal(await lang(), "es");
  for (const words of ["$85.50", "30 días de monitoreo", "9 abr 2026", "para pagar", "Resumen del pago", "Monto total a pagar"]) await payer.reads(words);
  await payer.field("Número de tarjeta").fill("378282246310005");
  await payer.reads("Aquí no se acepta American Express. Use una tarjeta Visa o Mastercard.");
  await town.picture(payer.page, "payer-spanish");
  await payer.page.getByRole("link", { name: "English" }).tap();
  await payer.reads("30 days of monitoring");
  assert.equal(await lang(), "en");
  await payer.page.reload();
  await payer.reads("30 days of monitoring"); // the choice stays
  await payer.page.getByRole("link", { name: "Español" }).tap();
  await payer.reads("30 días de monitoreo");
  await payer.fills({ number: "4000000000009995" });
  await payer.presses();
  await payer.reads("La tarjeta no tiene fondos suficientes. No se hizo ningún cobro. Pruebe con otra tarjeta. Puede intentarlo 4 veces más.");
  await payer.types({ number: VISA });
  await payer.presses();
  await payer.gets("Pago recibido");
  await payer.reads("Visa terminada en 4242");
  await town.picture(payer.page, "payer-spanish-receipt");
  await payer.page.getByRole("button", { name: "Enviarme este recibo por mensaje" }).tap();
  await payer.reads("El recibo va en camino");
  await until("the receipt", 5000, async () => /^Interlane: pago recibido\. \$85\.50, 10 mar 2026, tarjeta 4242/.test((await town.messages()).at(-1).body));
  await agent.reads("Paid $85.50");
  await charged(town, { amount: 8550 });
});

test("a text that does not arrive says why, and what helps", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  for (const [number, words] of [
    ["804 555 0191", "The phone is off or out of reach. Ask the caller to switch it on, then resend."],
    ["804 555 0192", "The phone or its carrier blocks this text. Ask for another mobile number."],
    ["804 555 0193", "This number does not exist. Read it back to the caller and correct it."],
    ["804 555 0194", "This number can’t get texts; it is a landline. Ask for a mobile number."],
    ["804 555 0195", "The carrier filtered the text. Try another mobile number, and tell your lead."],
    ["804 555 0196", "The carrier did not say why. Resend it, or try another mobile number."],
    ["804 555 0197", "This number has opted out of our texts. The caller can reply START to lift that, or give another number."],
  ]) {
    await agent.quotes({ client: "100042" });
    await agent.phone.fill(number);
    await agent.page.getByLabel(/The payer agreed/).check();
    await agent.presses("Send Message");
    await agent.reads("The text did not arrive.");
    await agent.reads(words);
    await agent.reads(new RegExp(`Not (sent|delivered)`));
    await town.picture(agent.page, `agent-${number.slice(-4)}`);
    await agent.cancels("The text did not arrive");
    await agent.reads("The link was cancelled.");
  }
  await charged(town);
});

test("a carrier whose answer is lost is asked, and nobody is texted twice", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  await town.faults({ twilio: { rules: [{ op: "send", kind: "timeout_after", times: 1, delay_ms: 500 }] } });
  await agent.quotes({ client: "100042" });
  await agent.presses("Send Message");
  const link = await town.linkSentTo("+18045550142");
  await agent.reads("Delivered", 40_000);
  assert.equal((await town.messages()).length, 1);
  const payer = await Payer.opens(town, link);
  await payer.pays({ number: VISA });
  await charged(town, { amount: 9858 });
});
