// Passkeys and codes, with Chromium's own authenticator; and the company's sign-in, at a provider that is certified for OpenID Connect (npm's oidc-provider) and runs here.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { once } from "node:events";
import test from "node:test";
import { Agent, authenticator, PASSWORD, seen, sound } from "./lib/people.mjs";
import { Town, until } from "./lib/town.mjs";

/** An authenticator app on a phone: what it shows for a key now (RFC 6238). step is 1 for the next code. */
function code(key, now, step = 0) {
  const bits = [...key.replace(/\s/g, "")].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(now / 30_000) + step));
  const sum = createHmac("sha1", Buffer.from(bits.match(/.{8}/g).map((b) => parseInt(b, 2)))).update(counter).digest();
  return String((sum.readUInt32BE(sum[19] & 15) & 0x7fffffff) % 1e6).padStart(6, "0");
}

/** The time in the town. */
const townNow = async (town) => Date.parse((await town.control("clock")).now);

test("an app's codes and a passkey, set up and used", async (t) => {
  const town = await Town.start(t, { host: "localhost" });
  const agent = new Agent(town, await town.desk());
  const { page } = agent;
  await page.goto(town.url + "/plus/");
  await sound(page, "signing in");
  await page.getByLabel("Password").fill("seen");
  await page.getByRole("button", { name: "Show what is typed" }).click();
  assert.equal(await page.getByLabel("Password").getAttribute("type"), "text");
  await page.keyboard.press("Tab");
  await agent.signsIn("agent", PASSWORD);
  await page.getByRole("link", { name: /^J\. Ortiz/ }).click();
  await page.getByRole("heading", { level: 1, name: "Your account" }).waitFor();

  // An app, by keyboard alone.
  await page.getByRole("link", { name: "Set up an app" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("img", { name: "QR code for your authenticator app" }).waitFor();
  const key = await page.locator("#key").innerText();
  await page.getByLabel("Code that the app shows now").fill("000000");
  await page.keyboard.press("Enter");
  await page.getByText("That code does not fit.").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.id), "code");
  await sound(page, "a code that does not fit");
  await page.keyboard.type(code(key, await townNow(town)));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Recovery codes" }).waitFor();
  await sound(page, "recovery codes");
  assert.equal(await page.getByRole("list", { name: "Recovery codes" }).getByRole("listitem").count(), 10);
  await page.getByRole("link", { name: "I have kept them" }).click();

  // A passkey.
  const finger = await authenticator(page);
  const error = page.getByRole("main").getByRole("alert");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await seen(error, "Give the passkey a name");
  await page.getByLabel("Name of a new passkey").fill("Work laptop");
  await finger.touched(async () => {
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await page.getByText("The passkey is added.").waitFor();
  });
  await page.getByRole("button", { name: "Remove Work laptop" }).waitFor();
  await agent.presses("Sign out");

  // The password alone is not enough now: a code or the passkey comes after it, before anything else.
  const other = new Agent(town, await town.desk());
  await other.page.goto(town.url + "/plus/");
  await other.signsIn("agent", PASSWORD);
  await other.page.getByRole("heading", { level: 1, name: "Second step" }).waitFor();
  await sound(other.page, "the second step");
  await other.page.goto(town.url + "/plus/clients/100042");
  await other.page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor();
  await other.page.goto(town.url + "/plus/second-step");
  await other.page.getByLabel("Code", { exact: true }).fill(code(key, await townNow(town), 1));
  await other.page.keyboard.press("Enter");
  await other.page.getByRole("link", { name: /^J\. Ortiz/ }).click();
  await other.page.getByRole("button", { name: "Remove Work laptop" }).waitFor();
  await sound(other.page, "the account");
  await town.picture(other.page, "account");

  // The passkey alone is enough, and leads to where one wanted to go.
  await page.goto(town.url + "/plus/clients/100042");
  await finger.verifies(false); // somebody else's finger
  await finger.touched(async () => {
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await seen(error, "Nothing was changed: no passkey was given.");
  });
  await finger.verifies(true);
  await finger.touched(async () => {
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("heading", { level: 1, name: "Dana Whitfield" }).waitFor();
  });

  // Whoever sits down at a desk that was left can't change what its owner signs in by.
  await town.clock("11m");
  await page.goto(town.url + "/plus/me");
  await page.getByRole("button", { name: "Remove Work laptop" }).click();
  await page.getByRole("heading", { level: 1, name: "Is it you?" }).waitFor();
  await other.page.goto(town.url + "/plus/me/codes");
  await sound(other.page, "proving again");
  await finger.touched(async () => {
    await page.getByRole("button", { name: "Use a passkey" }).click();
    await page.getByRole("heading", { level: 1, name: "Your account" }).waitFor();
  });
  await page.getByRole("button", { name: "Remove Work laptop" }).click();
  await page.getByText("The passkey is removed.").waitFor();

  // Without script the same is to be had by password and code.
  const plain = new Agent(town, await town.phone({ javaScriptEnabled: false }));
  await plain.page.goto(town.url + "/plus/");
  assert.equal(await plain.page.getByRole("button", { name: "Sign in with a passkey" }).count(), 0);
  await plain.signsIn("agent", PASSWORD);
  await plain.page.getByLabel("Code", { exact: true }).fill(code(key, await townNow(town)));
  await plain.presses("Sign in");
  await plain.page.getByRole("link", { name: /^J\. Ortiz/ }).click();
  await plain.page.getByRole("link", { name: "Change password" }).click();
  await plain.page.getByLabel("Your password now").fill(PASSWORD);
  await plain.page.getByLabel("New password").fill("a kettle on the shelf");
  await plain.presses("Change password");
  await plain.page.getByText("Your password is changed.").waitFor();
  await page.reload();
  await page.getByRole("heading", { level: 1, name: "Sign in" }).waitFor(); // the desk is signed out
});

/** A provider that knows everybody by their e-mail address. Its client's redirect address is known once the town is there. */
async function provider(t) {
  const { default: Provider } = await import("oidc-provider");
  const server = createServer((request, response) => server.handles(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const issuer = `http://127.0.0.1:${server.address().port}`;
  return {
    issuer,
    serves(town) {
      const oidc = new Provider(issuer, {
        clients: [{ client_id: "plus-web", client_secret: "paysim-demonstration-only", redirect_uris: [town.url + "/plus/sign-on"], response_types: ["code"], grant_types: ["authorization_code"] }],
        claims: { openid: ["sub"], email: ["email", "email_verified"] },
        pkce: { required: () => true },
        cookies: { keys: ["a key for tests"] },
        findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, email: id, email_verified: !id.startsWith("finance") }) }),
      });
      server.handles = oidc.callback();
    },
    close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
  };
}

test("the company's sign-in, at a real provider", async (t) => {
  const company = await provider(t);
  const town = await Town.start(t, { now: new Date().toISOString(), args: ["-oidc", company.issuer] });
  company.serves(town);
  const goes = async (person) => {
    const desk = await town.desk();
    await desk.goto(town.url + "/plus/clients/100042");
    await desk.getByRole("button", { name: "Sign in with your company account" }).click();
    await desk.getByPlaceholder("Enter any login").fill(person);
    await desk.getByPlaceholder("and password").fill("anything");
    await desk.getByRole("button", { name: "Sign-in" }).click();
    return desk;
  };

  const agent = await goes("agent@interlane.example");
  await agent.getByRole("button", { name: "Continue" }).click(); // the provider asks for consent
  await agent.getByRole("heading", { level: 1, name: "Dana Whitfield" }).waitFor();
  assert.equal(new URL(agent.url()).search, "", "nothing of the provider's is left in the address");
  await agent.getByRole("link", { name: /^J\. Ortiz/ }).click();
  await agent.getByText("by company account since").waitFor();
  await agent.getByRole("button", { name: "Sign out", exact: true }).click();
  await sound(agent, "signing in with a company account");

  const alert = (desk) => desk.getByRole("main").getByRole("alert");
  const unknown = await goes("nobody@interlane.example");
  await unknown.getByRole("button", { name: "Continue" }).click();
  await seen(alert(unknown), "Your company account is not one that PLUS Web knows.");
  await sound(unknown, "an account that nobody has");
  const unverified = await goes("finance@interlane.example");
  await unverified.getByRole("button", { name: "Continue" }).click();
  await seen(alert(unverified), "Your company account is not one that PLUS Web knows.");

  const changed = await goes("lead@interlane.example");
  await changed.getByRole("link", { name: "[ Cancel ]" }).click();
  await seen(alert(changed), "Your company’s sign-in has not let you in.");

  await company.close();
  await town.clock("61m"); // what the provider said of itself is asked for again
  await changed.getByRole("button", { name: "Sign in with your company account" }).click();
  await seen(alert(changed), "Your company’s sign-in does not answer just now.");
  const lead = new Agent(town, changed);
  await lead.signsIn("lead", PASSWORD);
  await until("the lead is in", 10_000, async () => (await changed.getByRole("button", { name: "Sign out" }).count()) > 0);
});
