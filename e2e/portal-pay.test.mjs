// Make a Payment in My Account, on a phone: a card that is entered once and confirmed at the bank, in Spanish; a decline and another card; a card on file, pressed twice; the pending balance.
import assert from "node:assert/strict";
import test from "node:test";
import { charged, charges, NO_FUNDS, PASSWORD, Payer, SECURE, VISA } from "./lib/people.mjs";
import { axe, Town } from "./lib/town.mjs";

/** A client with a phone, signed in, at Make a Payment. */
async function client(town, id, address = "/my/pay") {
  const payer = new Payer(town, await town.phone());
  await payer.page.goto(town.url + "/my/");
  await payer.page.getByLabel(/^(Client id|Número de cliente)$/).fill(id);
  await payer.page.getByLabel(/^(Password|Contraseña)$/).fill(PASSWORD);
  await payer.page.getByRole("button", { name: /^(Sign in|Entrar)$/ }).tap();
  await payer.page.getByRole("button", { name: /^(Sign out|Salir)$/ }).waitFor();
  await payer.page.goto(town.url + address);
  return payer;
}

test("a client pays in My Account", async (t) => {
  const town = await Town.start(t);

  // Spanish, a new card for once, 3-D Secure.
  const lucia = await client(town, "100046");
  await lucia.gets("Hacer un pago");
  await lucia.reads("Nueva fecha de pagado");
  assert.deepEqual(await axe(lucia.page), []);
  assert.equal(await lucia.button.getAttribute("aria-disabled"), "true");
  await lucia.button.tap({ force: true }); // it can be pressed, and says what is missing
  await lucia.reads("Falta: número de tarjeta");
  await lucia.fills({ number: SECURE });
  await lucia.presses();
  await lucia.gets("Su banco le pide confirmar");
  await lucia.bank.getByRole("button", { name: "Complete authentication" }).tap();
  await paid(lucia, "Pago recibido");
  await charged(town, { amount: 8550 });
  // The back button leads to no page that could pay again, and what is offered now are the days after.
  await lucia.page.goBack({ waitUntil: "commit" });
  await lucia.page.waitForURL(town.url + "/my/", { waitUntil: "commit" });
  await lucia.page.goto(town.url + "/my/pay");
  await lucia.reads("9 may 2026");
  await charged(town, { amount: 8550 });

  // A decline says why, and the same page takes another card.
  const dana = await client(town, "100042");
  await dana.fills({ number: NO_FUNDS });
  await dana.presses();
  await dana.reads("Nothing was charged. Try another card.");
  await dana.reads("4 more");
  assert.deepEqual(await axe(dana.page), []);
  await dana.types({ number: VISA });
  await dana.presses();
  await paid(dana, "Payment received");

  // A card on file: pressed twice it is charged once.
  const hal = await client(town, "100047");
  await hal.agree.check();
  await hal.button.dblclick();
  await paid(hal, "Payment received");

  // The pending balance alone.
  const marcus = await client(town, "100043", "/my/pay?vehicle=veh_marcus_f150");
  await marcus.page.getByRole("link", { name: "Pay only the pending balance, $42.37" }).tap();
  await marcus.reads("It adds no days");
  await marcus.agree.check();
  await marcus.presses();
  await paid(marcus, "Payment received");
  assert.deepEqual((await charges(town)).map(({ amount }) => amount).sort((a, b) => a - b), [4237, 8550, 9858, 9858]);
});

/** Waits for what is shown after a payment. */
async function paid(payer, words) {
  await payer.reads(words, 30_000);
}
