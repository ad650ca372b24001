// My Account from the invitation mail to the PDF of a paid invoice, on a phone, in English and in Spanish: the mail is read, a password chosen, a card kept by 3-D Secure, a payment made with it and Auto Pay
// turned on; then a forgotten password and a passkey. axe looks at every page on the way.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { inflateSync } from "node:zlib";
import { Agent, authenticator, charged, Payer, SECURE, seen, sound } from "./lib/people.mjs";
import { axe, Town, until } from "./lib/town.mjs";

const WITHIN = 30_000; // ms

const june = {
  id: "100053", locale: "en-US", hello: "Hello, June", total: "$93.81", cents: 9381, file: /^interlane-invoice-.+\.pdf$/, vehicle: "2018 Mazda 3",
  words: {
    invited: "Your Interlane My Account is ready", open: "Sign in to My Account", id: "Client id", password: "Password", signIn: "Sign in", signOut: "Sign out",
    choose: "Choose a new password", old: "Current password", fresh: "New password", save: "Save the new password", pay: "Make a Payment", keep: "A new card, to keep for next time", saveCard: "Save the card",
    agree: /^I agree/, autoPay: /^Turn on Auto Pay/, paid: "Payment received", pdf: "Download PDF", autoPayOn: "Auto Pay is on",
    forgot: "Forgot your password?", mail: "Mail me a link", check: "Check your mail", reset: "Choose a new Interlane password", resetOpen: "Choose a password",
  },
};
const mateo = {
  id: "100054", locale: "es-US", hello: "Hola, Mateo", total: "$85.50", cents: 8550, file: /^interlane-.+\.pdf$/, vehicle: "2017 Toyota Corolla",
  words: {
    invited: "Su cuenta My Account de Interlane está lista", open: "Entrar a My Account", id: "Número de cliente", password: "Contraseña", signIn: "Entrar", signOut: "Salir",
    choose: "Elija una contraseña nueva", old: "Contraseña actual", fresh: "Contraseña nueva", save: "Guardar la contraseña nueva", pay: "Hacer un pago", keep: "Una tarjeta nueva, para guardarla",
    saveCard: "Guardar la tarjeta", agree: /^Acepto/, autoPay: /^Activar Auto Pay/, paid: "Pago recibido", pdf: "Descargar PDF", autoPayOn: "Auto Pay está activado",
    forgot: "¿Olvidó su contraseña?", mail: "Enviarme un enlace", check: "Revise su correo", reset: "Elija una contraseña nueva de Interlane", resetOpen: "Elegir una contraseña",
  },
};

const rooms = ["", "pay", "cards", "auto-pay", "invoices", "appointments", "profile", "notices", "sessions", "password", "passkeys"];

/** A client of My Account with a phone. */
class Client extends Payer {
  constructor(town, page, who) {
    super(town, page);
    Object.assign(this, who);
  }

  static async at(town, who) {
    return new Client(town, await town.phone({ locale: who.locale }), who);
  }

  /** Reads the newest mail with a subject where the town shows mails, and returns its text; the phone shows it then. */
  async reads_mail(subject) {
    const letter = await until(`a mail “${subject}”`, WITHIN, async () => {
      const got = await (await fetch(`${this.town.sim}/mail/messages?to=${this.id}@clients.interlane.example`)).json();
      return got.findLast((one) => one.subject === subject);
    });
    await this.page.goto(`${this.town.sim}/mail`);
    await this.page.getByRole("link", { name: subject }).first().tap();
    await this.page.getByRole("heading").first().waitFor();
    return letter.text;
  }

  async taps_button(name) {
    await this.page.getByRole("button", { name, exact: true }).tap();
  }

  async taps_link(name) {
    await this.page.getByRole("link", { name }).first().tap();
  }

  async signs_in(password) {
    await this.page.getByLabel(this.words.id).fill(this.id);
    await this.page.getByLabel(this.words.password, { exact: true }).fill(password);
    await this.taps_button(this.words.signIn);
  }

  /** The bank asks whether it is they, and they say so. */
  async confirms() {
    await this.bank.getByRole("button", { name: "Complete authentication" }).click({ timeout: WITHIN });
  }

  /** axe finds nothing on the page. It looks at all of it at once: what the bar at the bottom covers can be scrolled from under it. */
  async fine(what) {
    const { width, height } = this.page.viewportSize();
    await this.page.setViewportSize({ width, height: Math.max(height, await this.page.evaluate(() => document.documentElement.scrollHeight)) });
    assert.deepEqual(await axe(this.page), [], `${this.locale}: ${what}`);
    await this.page.setViewportSize({ width, height });
  }
}

/** From the invitation to the invoice's PDF. */
async function journey(town, agent, who) {
  const client = await Client.at(town, who), { page, words } = client;
  await agent.sees(who.id);
  await agent.presses("Send invitation");
  await seen(agent.page.locator("#access"), "has not chosen a password yet");

  const secret = /[a-z2-7]{4}(-[a-z2-7]{4}){3}/.exec(await client.reads_mail(words.invited))[0];
  await client.taps_link(words.open);
  await page.waitForURL(`${town.url}/my/**`);
  await client.fine("signing in");
  await client.signs_in(secret);
  await client.gets(words.choose, WITHIN);
  await client.fine("the first password");
  await page.getByLabel(words.old).fill(secret);
  await page.getByLabel(words.fresh).fill("seven quiet herons");
  await client.taps_button(words.save);
  await client.gets(who.hello, WITHIN);

  // A card to keep, on the way to paying; the bank asks for its owner.
  await page.goto(`${town.url}/my/pay`);
  await client.gets(words.pay, WITHIN);
  await client.fine("Make a Payment");
  await client.taps_link(words.keep);
  await client.types({ number: SECURE });
  await client.zip.fill("23219");
  await page.getByRole("checkbox", { name: words.agree }).check();
  await client.fine("a new card");
  await client.taps_button(words.saveCard);
  await client.confirms();
  await client.gets(words.pay, WITHIN);
  await client.reads("3184", WITHIN);
  await page.getByRole("checkbox", { name: words.autoPay }).check();
  await page.getByRole("checkbox", { name: words.agree }).check();
  await client.presses();
  await client.confirms();
  await client.reads(words.paid, WITHIN);
  await client.reads(who.total, WITHIN);
  await client.fine("paid");

  // The invoice, and what is kept of it.
  await page.goto(`${town.url}/my/invoices`);
  await page.getByRole("main").getByRole("listitem").getByRole("link").first().tap();
  await page.getByRole("link", { name: words.pdf }).waitFor();
  await client.reads(who.total, WITHIN);
  await client.reads(who.vehicle);
  await client.fine("the invoice");
  const [download] = await Promise.all([page.waitForEvent("download", { timeout: WITHIN }), page.getByRole("link", { name: words.pdf }).tap()]);
  assert.match(download.suggestedFilename(), who.file);
  const file = await readFile(await download.path());
  assert.equal(file.subarray(0, 5).toString(), "%PDF-");
  const text = said(file);
  for (const words of [who.total, who.vehicle]) assert.ok(text.includes(words), `the PDF does not say ${words}: ${text.slice(0, 2000)}`);

  await page.goto(`${town.url}/my/auto-pay`);
  await client.reads(words.autoPayOn, WITHIN);
  return client;
}

/** What a PDF of ours says: its strings are UTF-16 in compressed streams. */
function said(file) {
  const raw = file.toString("latin1");
  let out = "";
  for (const [, data] of raw.matchAll(/stream\r?\n([\s\S]*?)\r?\nendstream/g)) {
    let page;
    try {
      page = inflateSync(Buffer.from(data, "latin1")).toString("latin1");
    } catch {
      continue; // a font, perhaps
    }
    for (const [, string] of page.matchAll(/\(((?:\\[\s\S]|[^\\)])*)\)\s*Tj/g)) {
      const plain = string.replace(/\\([\s\S])/g, (_, c) => ({ n: "\n", r: "\r", t: "\t" })[c] ?? c);
      out += Buffer.from(plain, "latin1").swap16().toString("utf16le") + " ";
    }
  }
  return out;
}

test("from the invitation to the invoice's PDF, in English and in Spanish, and back in without a password", async (t) => {
  const town = await Town.start(t, { host: "localhost" });
  const agent = await Agent.at(town);
  await agent.sees(june.id);
  await sound(agent.page, "a client who was never invited");
  const [client, otro] = [await journey(town, agent, june), await journey(town, agent, mateo)];
  await charged(town, { amount: june.cents }, { amount: mateo.cents });
  await otro.page.emulateMedia({ colorScheme: "dark" }); // Spanish has the longer words
  for (const room of rooms) {
    await otro.page.goto(`${town.url}/my/${room}`);
    await otro.page.getByRole("heading", { level: 1 }).waitFor();
    await otro.fine(`/my/${room}`);
  }

  // June has a passkey from now on.
  const { page } = client;
  await page.goto(`${town.url}/my/passkeys`);
  await sound(page, "passkeys");
  const finger = await authenticator(page);
  await page.getByLabel("Name").fill("My phone");
  await page.getByLabel("Current password").fill("not the password");
  await client.taps_button("Add this passkey");
  await client.reads("That is not your current password.");
  await page.getByLabel("Current password").fill("seven quiet herons");
  await finger.touched(async () => {
    await client.taps_button("Add this passkey");
    await client.reads("The passkey was added.", WITHIN);
  });
  assert.match(await client.reads_mail("Interlane: A passkey was added"), /My phone/);
  await page.goto(`${town.url}/my/`);
  await client.taps_button("Sign out");
  await finger.touched(async () => {
    await client.taps_button("Sign in with a passkey");
    await client.gets(june.hello, WITHIN);
  });
  await page.goto(`${town.url}/my/passkeys`);
  await client.taps_button("Remove My phone");
  await client.reads("The passkey was removed.", WITHIN);

  // Mateo forgets his password.
  const { words } = otro;
  await otro.page.goto(`${town.url}/my/`);
  await otro.taps_button(words.signOut);
  await otro.taps_link(words.forgot);
  await otro.gets(words.forgot, WITHIN);
  await sound(otro.page, "a forgotten password");
  await otro.page.getByLabel(words.id).fill(otro.id);
  await otro.taps_button(words.mail);
  await otro.gets(words.check, WITHIN);
  await sound(otro.page, "a link is on its way");
  await otro.reads_mail(words.reset);
  await otro.taps_link(words.resetOpen);
  await otro.gets(words.choose, WITHIN);
  await otro.page.waitForURL((address) => address.hash === "", { timeout: WITHIN }); // the token does not stay in the address
  await sound(otro.page, "choosing a password");
  await otro.page.getByLabel(words.fresh).fill("ocho garzas tranquilas");
  await otro.taps_button(words.save);
  await otro.gets(otro.hello, WITHIN);
  await otro.page.goto(`${town.url}/my/notices`);
  await sound(otro.page, "notices");
});
