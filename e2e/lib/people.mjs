// The people of the town, as they act: an agent at PLUS Web, a payer with a phone. Everything is found by what a screen reader says.
//
//   const agent = await Agent.at(town);                                     // signed in
//   const link = await agent.sends({ client: "100042", days: 30 });         // the address that was texted
//   const payer = await Payer.opens(town, link);
//   await payer.pays({ number: VISA });
//   await agent.reads("Paid.");
//   await charged(town, [{ amount: 9858 }]);
import assert from "node:assert/strict";
import { axe, until } from "./town.mjs";

export const VISA = "4242424242424242";
export const MASTERCARD = "5555555555554444";
export const NO_FUNDS = "4000000000009995";
export const DECLINED = "4000000000000002";
export const SECURE = "4000002760003184"; // asks for 3-D Secure every time
export const AMEX = "378282246310005";
export const PASSWORD = "interlane-demo";

const SENT_WITHIN = 10_000; // ms

/** An agent with a page of PLUS Web. */
export class Agent {
  constructor(town, page) {
    this.town = town;
    this.page = page;
  }

  /** Opens a desk and signs in. options are those of town.desk. */
  static async at(town, { login = "agent", ...options } = {}) {
    const agent = new Agent(town, await town.desk(options));
    await agent.page.goto(town.url + "/plus/");
    await agent.signsIn(login, PASSWORD);
    await agent.page.getByRole("button", { name: "Sign out" }).waitFor();
    return agent;
  }

  async signsIn(login, password) {
    await this.page.getByLabel("Login").fill(login);
    await this.page.getByLabel("Password").fill(password);
    await this.page.getByRole("button", { name: "Sign in", exact: true }).click();
  }

  async sees(client) {
    await this.page.goto(`${this.town.url}/plus/clients/${client}`);
  }

  /** The button that opens the panel: it is the page's own or, without script, a form's. */
  get opener() {
    return this.page.getByRole("button", { name: "Send Secure Payment Link" });
  }
  get summary() {
    return this.page.getByRole("region", { name: "Invoice Summary" });
  }
  get status() {
    return this.page.getByRole("region", { name: "Link status" });
  }
  get phone() {
    return this.page.getByLabel("Phone number");
  }

  /** Opens the panel and asks for a summary. vehicle is its id. */
  async quotes({ client, vehicle, days = 30 }) {
    await this.sees(client);
    await this.opener.click();
    if (vehicle) await this.page.getByLabel("Vehicle", { exact: true }).selectOption(vehicle);
    await this.days(days).check({ force: true }); // the button that is seen is its label
    await this.page.getByRole("button", { name: "Get Summary" }).click();
    await this.summary.waitFor();
    return this.summary.innerText();
  }

  days(n) {
    return this.page.getByRole("group", { name: "Monitor days" }).getByRole("radio", { name: `${n} days` });
  }

  /** Quotes and sends, and returns the address in the text. phone is a number that is not the client's, with payer as who it is. */
  async sends({ client, vehicle, days, phone, payer = "Ana, a sister", language, to }) {
    const number = to ?? (phone ? e164(phone) : `+1804555${{ 100042: "0142", 100043: "0143", 100045: "0145", 100046: "0146", 100047: "0147", 100051: "0151" }[client]}`);
    const before = (await this.town.messages()).filter((m) => m.to === number).length;
    await this.quotes({ client, vehicle, days });
    if (phone) {
      await this.phone.fill(phone);
      await this.page.getByLabel("Who is paying").fill(payer);
      await this.page.getByLabel(/The payer agreed/).check();
      if (language) await this.page.getByRole("group", { name: "Language of the text" }).getByRole("radio", { name: language }).check({ force: true });
    }
    await this.presses("Send Message");
    await this.status.waitFor();
    return this.town.linkSentTo(number, { after: before, within: SENT_WITHIN });
  }

  async presses(name) {
    await this.page.getByRole("button", { name, exact: true }).click();
  }

  /** Waits until Link status says words, without a reload of the page. */
  async reads(words, within = 20_000) {
    await seen(this.status, words, within);
  }

  async cancels(reason = "The caller asked for it") {
    await this.presses("Cancel link");
    const dialog = this.page.getByRole("dialog", { name: "Cancel this link?" });
    await dialog.getByLabel("Reason").selectOption(reason);
    await dialog.getByRole("button", { name: "Cancel link" }).click();
  }
}

/** A payer with a phone. */
export class Payer {
  constructor(town, page) {
    this.town = town;
    this.page = page;
  }

  /** Takes a phone and opens a link on it. clock: the page's time can be moved by town.clock. options are those of town.phone. */
  static async opens(town, link, { clock = false, prepare, desk = false, ...options } = {}) {
    const payer = new Payer(town, await (desk ? town.desk(options) : town.phone(options)));
    if (clock) await payer.page.clock.install();
    if (prepare) await prepare(payer.page);
    await payer.taps(link);
    return payer;
  }

  /** Opens a link in this browser, in this tab. */
  async taps(link) {
    await this.page.goto(link);
    await this.page.waitForURL(`${this.town.url}/pay**`);
  }

  get button() {
    return this.page.getByRole("button", { name: /^(Make Payment|Realizar pago|Sending|Enviando|Your bank|Su banco)/ });
  }
  get zip() {
    return this.page.getByLabel(/^(ZIP code|Código postal)$/);
  }
  get agree() {
    return this.page.getByRole("checkbox", { name: /^(I agree|Acepto)/ });
  }

  /** A card field's input, which lives in a frame of the card service. */
  field(name) {
    return this.page.getByRole("group", { name }).locator("iframe").contentFrame().getByRole("textbox");
  }

  async types({ number = VISA, expiry = "1234", code = "123" } = {}) {
    await this.field(/^(Card number|Número de tarjeta)$/).fill(number);
    await this.field(/^(Expiration date|Fecha de vencimiento)$/).fill(expiry);
    await this.field(/^(Security code|Código de seguridad)$/).fill(code);
  }

  /** Fills everything in, so that the button is active. */
  async fills(card = {}) {
    await this.types(card);
    await this.zip.fill("23219");
    await this.agree.check();
    await until("Make Payment to become active", 5000, async () => (await this.button.getAttribute("aria-disabled")) === null);
  }

  async presses() {
    await this.button.tap();
  }

  /** Fills everything in and pays, and waits for the receipt. */
  async pays(card = {}) {
    await this.fills(card);
    await this.presses();
    await this.gets("Payment received");
  }

  /** Waits for a page with this heading (a receipt's, a state's). */
  async gets(heading, within = 15_000) {
    await this.page.getByRole("heading", { level: 1, name: heading }).waitFor({ timeout: within });
  }

  /** Waits until the page says words. */
  async reads(words, within = 15_000) {
    await seen(this.page.locator("body"), words, within);
  }

  /** What the bank shows. */
  get bank() {
    return this.page.locator("dialog iframe").contentFrame();
  }

  /** Nothing on the page offers to pay. */
  async cannotPay() {
    assert.equal(await this.button.filter({ visible: true }).count(), 0, "the page offers to pay");
  }
}

/** Waits until a part of a page says words, which are shown. */
export async function seen(part, words, within = 20_000) {
  let last = "";
  try {
    await until(`“${words}”`, within, async () => {
      last = await part.innerText({ timeout: within }).catch(() => "");
      return typeof words === "string" ? last.replace(/\s+/g, " ").includes(words) : words.test(last);
    });
  } catch (error) {
    throw new Error(`${error.message}; it says: ${last}`);
  }
}

/** What of a page axe finds wrong, light and dark, and whether it has to be scrolled sideways on a phone. */
export async function sound(page, name) {
  const size = page.viewportSize();
  const found = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    found.push(...(await axe(page)));
  }
  await page.emulateMedia({ colorScheme: null });
  for (const width of [390, 320]) {
    await page.setViewportSize({ width, height: 844 });
    if (await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)) found.push(`it is wider than ${width} px`);
  }
  await page.setViewportSize(size);
  assert.deepEqual(found, [], name);
}

/** Gives a page an authenticator with a fingerprint, which nobody touches until touched. It ends with any other session of the debugging protocol on that page: axe is for other pages then. */
export async function authenticator(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: false },
  });
  const touch = (enabled) => session.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled });
  return {
    /** Touches it while something is done. */
    async touched(done) {
      await touch(true);
      await done();
      await touch(false);
    },
    verifies: (isUserVerified) => session.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
  };
}

/** The simulator's books: every charge that succeeded, of every account. */
export async function charges(town) {
  const { platform, accounts } = await town.control("stripe/books");
  return Object.entries(accounts).flatMap(([account, books]) => (books.charges ?? []).filter(({ status }) => status === "succeeded")
    .map((charge) => ({ ...charge, account: account === platform ? "platform" : account })));
}

/** Asserts which charges there are, and that no more come: expected rows name the fields that matter. */
export async function charged(town, ...expected) {
  const rows = await charges(town);
  assert.deepEqual(rows.map((row, i) => Object.fromEntries(Object.keys(expected[i] ?? row).map((key) => [key, row[key]]))), expected, "the charges in the simulator's books");
}

/** "804 555 0142" as telephone companies write it. */
export function e164(number) {
  return "+1" + number.replace(/\D/g, "");
}
