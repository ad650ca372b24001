// What no browser of ours would send. Each wrong thing gets its status and a clear sentence, and changes nothing.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import test from "node:test";
import { Agent, charged, Payer, PASSWORD, VISA } from "./lib/people.mjs";
import { Town, until } from "./lib/town.mjs";

const json = { "Content-Type": "application/json" };

test("wrong requests get the right answer and change nothing", async (t) => {
  const town = await Town.start(t);
  const agent = await Agent.at(town);
  const link = await agent.sends({ client: "100042" });
  await agent.reads("Delivered");
  const before = await agent.status.innerText().then(withoutTime);
  const token = new URL(link).hash.slice(1);
  const opened = await post("/pay/open", JSON.stringify({ token }), json);
  assert.equal(opened.status, 204);
  const cookie = opened.headers.get("set-cookie").split(";")[0];
  for (const part of ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"]) assert.ok(opened.headers.get("set-cookie").includes(part), part);
  assert.ok(!opened.headers.get("set-cookie").includes(token), "the cookie holds the token");

  function post(path, body, headers = {}) {
    return fetch(town.url + path, { method: "POST", body, headers, redirect: "manual" });
  }
  /** Asserts an answer's status and that it says words. */
  async function says(answer, status, words) {
    const said = await answer.text();
    assert.equal(answer.status, status, said.slice(0, 300));
    assert.match(said, words);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    assert.doesNotMatch(said, /panic|goroutine|sql:|\.go:\d/, "details of the program");
    return said;
  }

  await t.test("a token that means nothing: one neutral answer", async () => {
    const answers = [];
    for (const wrong of ["AAAAAAAAAAAAAAAAAAAAAAAAAA", token.slice(0, -1), token + "A", "x", "", "../../etc/passwd", "A".repeat(5000)]) {
      const answer = await post("/pay/open", JSON.stringify({ token: wrong }), json);
      assert.equal(answer.status, 410, wrong.slice(0, 40));
      assert.equal(answer.headers.get("set-cookie"), null);
      answers.push(await answer.text());
    }
    assert.equal(new Set(answers).size, 1, "the answers differ");
    assert.match(answers[0], /This link does not work\./);
    const page = await town.phone();
    await page.goto(town.url + "/p#AAAAAAAAAAAAAAAAAAAAAAAAAA");
    await page.getByRole("heading", { level: 1, name: "This link does not work" }).waitFor();
    await town.picture(page, "payer-dead");
    await page.goto(town.url + "/p");
    await page.getByRole("heading", { level: 1, name: "Open the link from your text message" }).waitFor();
  });

  await t.test("a forged cookie: 401 and where to begin", async () => {
    const [name, value] = [cookie.slice(0, cookie.indexOf("=")), cookie.slice(cookie.indexOf("=") + 1)];
    const flipped = value.slice(0, 8) + (value[8] === "A" ? "B" : "A") + value.slice(9);
    for (const forged of [flipped, value.slice(0, -2), "x", "", value + value]) {
      const headers = { Cookie: `${name}=${forged}` };
      await says(await fetch(town.url + "/pay", { headers, redirect: "manual" }), 401, /Open the link from your text message/);
      await says(await fetch(town.url + "/pay/status", { headers }), 401, /Tap the link in your text message again/);
      await says(await post("/pay/charge", JSON.stringify({ payment_method: "pm_1", terms: "1", nonce: "x" }), { ...json, ...headers }), 401, /Nothing was charged/);
    }
    await says(await fetch(town.url + "/pay"), 401, /Open the link from your text message/);
  });

  await t.test("a charge with a forged nonce, another payment's fields or broken words", async () => {
    const charge = (body, headers = json) => post("/pay/charge", body, { ...headers, Cookie: cookie });
    await says(await charge(JSON.stringify({ payment_method: "pm_card_visa", terms: "1", nonce: "forged" })), 400, /Nothing was charged/);
    await says(await charge(JSON.stringify({ payment_method: "4242424242424242", terms: "1", nonce: "x" })), 400, /Nothing was charged/);
    await says(await charge("{"), 400, /Nothing was charged/);
    await says(await charge("{}{}"), 400, /Nothing was charged/);
    await says(await charge(JSON.stringify({}), { "Content-Type": "text/plain" }), 400, /Nothing was charged/);
  });

  await t.test("an oversized body: 413", async () => {
    const much = JSON.stringify({ token: "A".repeat(100_000) });
    await says(await post("/pay/open", much, json), 413, /We could not read that/);
    await says(await post("/pay/charge", much, { ...json, Cookie: cookie }), 413, /Nothing was charged/);
    assert.equal((await post("/hooks/stripe", "A".repeat(1_100_000), json)).status, 413);
    assert.equal((await post("/hooks/twilio/reply", new URLSearchParams({ Body: "A".repeat(1_100_000) }))).status, 413);
  });

  await t.test("a wrong method: 405, and GET acts nowhere", async () => {
    for (const [method, path] of [["GET", "/pay/open"], ["GET", "/pay/charge"], ["GET", "/pay/not-mine"], ["DELETE", "/pay"], ["PUT", "/p"], ["GET", "/hooks/stripe"], ["GET", "/plus/sign-out"]]) {
      const answer = await fetch(town.url + path, { method, headers: { Cookie: cookie }, redirect: "manual" });
      assert.equal(answer.status, 405, `${method} ${path}`);
    }
  });

  await t.test("an address that leads nowhere: 404 with a page", async () => {
    await says(await fetch(town.url + "/nowhere"), 404, /There is no page here/);
    assert.equal((await fetch(town.url + "/plus/nowhere")).status, 404);
    assert.equal((await fetch(town.url + "/assets/../go.mod")).status, 404);
    assert.equal((await fetch(town.url + "/pay", { method: "HEAD" })).status, 401);
  });

  await t.test("events and callbacks that the suppliers did not sign", async () => {
    const { now } = await town.control("clock");
    const { accounts } = await town.control("stripe/books");
    const intent = Object.values(accounts).flatMap(({ intents }) => intents ?? [])[0];
    assert.ok(intent, "there is a PaymentIntent");
    const seconds = Math.floor(Date.parse(now) / 1000);
    const event = JSON.stringify({ id: "evt_forged", object: "event", api_version: "2023-10-16", created: seconds, type: "payment_intent.succeeded",
      data: { object: { id: intent.id, object: "payment_intent", status: "succeeded", amount: 9858 } } });
    const sign = (at, secret = "whsec_paysim_demonstration_only") => `t=${at},v1=${createHmac("sha256", secret).update(`${at}.${event}`).digest("hex")}`;
    const hook = (signature) => post("/hooks/stripe", event, signature ? { ...json, "Stripe-Signature": signature } : json);
    for (const [what, signature] of [["none", ""], ["another secret", sign(seconds, "whsec_other")], ["old", sign(seconds - 301)], ["future", sign(seconds + 310)], ["broken", "t=x,v1=y"]]) {
      const answer = await hook(signature);
      assert.ok([400, 401, 403].includes(answer.status), `${what}: ${answer.status}`);
      assert.match(await answer.text(), /signature/, what);
    }
    // A well signed lie moves nothing either: Stripe itself is asked.
    assert.equal((await hook(sign(seconds))).status, 200);
    for (const path of ["/hooks/twilio/reply", "/hooks/twilio/status/01939f42-0000-7000-8000-000000000000"]) {
      const form = new URLSearchParams({ From: "+18045550142", Body: "STOP", MessageSid: "SM1", MessageStatus: "failed" });
      assert.equal((await post(path, form, { "X-Twilio-Signature": "AAAA" })).status, 403, path);
    }
  });

  await t.test("a request from another site: 403", async () => {
    for (const headers of [{ "Sec-Fetch-Site": "cross-site" }, { Origin: "https://evil.example" }]) {
      for (const path of ["/pay/open", "/pay/charge", "/plus/", "/plus/sign-out"]) {
        assert.equal((await post(path, JSON.stringify({ token }), { ...json, ...headers, Cookie: cookie })).status, 403, path);
      }
    }
  });

  await t.test("at PLUS Web: 15 days, an unknown vehicle, another client's vehicle, nobody signed in", async () => {
    const answer = await post("/plus/", new URLSearchParams({ login: "agent", password: PASSWORD, back: "/plus/" }));
    assert.equal(answer.status, 303);
    const Cookie = answer.headers.get("set-cookie").split(";")[0];
    const summary = (query) => fetch(`${town.url}/plus/clients/100045?${new URLSearchParams({ panel: "send", ...query })}`, { headers: { Cookie } });
    await says(await summary({ vehicle: "veh_omar_pam", days: "15" }), 400, /Choose 14 or 30 days\./);
    await says(await summary({ vehicle: "veh_omar_pam", days: "-30" }), 400, /Choose 14 or 30 days\./);
    await says(await summary({ vehicle: "veh_omar_pam", days: "many" }), 400, /Choose 14 or 30 days\./);
    assert.equal((await summary({ vehicle: "veh_nobody", days: "30" })).status, 404);
    assert.equal((await summary({ vehicle: "veh_hal_outback", days: "30" })).status, 404);
    assert.equal((await fetch(town.url + "/plus/clients/999999", { headers: { Cookie } })).status, 404);
    assert.equal((await fetch(town.url + "/plus/payments/nothing/status", { headers: { Cookie } })).status, 404);
    const send = (fields, client = "100045") => post(`/plus/clients/${client}/links`, new URLSearchParams(
      { tab: "account", vehicle: "veh_omar_pam", days: "30", shown: "15900", key: "a-key-of-this-test", phone: "(804) 555-0145", language: "en", ...fields }), { Cookie });
    assert.equal((await send({ days: "15" })).status, 400);
    assert.equal((await send({ vehicle: "veh_nobody" })).status, 404);
    assert.equal((await send({ vehicle: "veh_dana_civic", shown: "9858" })).status, 404);
    assert.equal((await send({}, "999999")).status, 404);
    assert.equal((await send({ phone: "12" })).status, 422);
    assert.equal((await send({ phone: "(804) 555-0163" })).status, 422); // no consent
    assert.equal((await send({ shown: "100" })).status, 409);
    assert.equal((await send({ shown: "much" })).status, 400);
    assert.equal((await send({ key: "" })).status, 400);
    assert.equal((await post("/plus/clients/100045/links", "vehicle=veh_omar_pam")).status, 401);
    assert.equal((await fetch(town.url + "/plus/clients/100042")).status, 401);
    assert.equal((await fetch(town.url + "/plus/clients/100042", { headers: { Cookie: "__Host-plus=forged" } })).status, 401);

    // The same form sent twice, and even at once, sends one text.
    const texts = async () => (await town.messages()).filter(({ to }) => to === "+18045550145").length;
    assert.equal(await texts(), 0);
    const [one, two] = await Promise.all([send({}), send({})]);
    assert.deepEqual([one.status, two.status], [303, 303]);
    assert.equal((await send({})).status, 303);
    await town.linkSentTo("+18045550145");
    assert.equal(await texts(), 1);
  });

  const after = before.replace(/Ask the caller to open the text\.\s*/, "").replace("The text was delivered.", "The payer has opened the link.");
  await until(`a Link status that says nothing but that the link was opened: ${after}`, 15_000, async () => (await agent.status.innerText().then(withoutTime)) === after);
  await charged(town);
  // The link that all this was done to is as good as before.
  const payer = await Payer.opens(town, link);
  await payer.pays({ number: VISA });
  await charged(town, { amount: 9858 });
});

// What stays the same while only time passes, and the opening that this test itself did is taken out.
function withoutTime(text) {
  return text.replace(/\d+:\d\d(:\d\d [AP]M| left)/g, "").replace(/\s+/g, " ").replaceAll(" (not yet)", "").trim();
}
