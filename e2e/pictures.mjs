// Takes the README's pictures from the running program: node e2e/pictures.mjs
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Town } from "./lib/town.mjs";

const to = new URL("../docs/pictures/", import.meta.url).pathname;
await mkdir(to, { recursive: true });
const ends = [];
try {
  const town = await Town.start({ name: "pictures", after: (end) => ends.push(end) }, { now: "2026-03-10T18:14:00Z" });
  const desk = await town.desk({ viewport: { width: 1280, height: 820 } });
  await desk.goto(town.url + "/plus/");
  await desk.getByLabel("Login").fill("agent");
  await desk.getByLabel("Password").fill("interlane-demo");
  await desk.getByRole("button", { name: "Sign in" }).click();
  await desk.getByRole("search").waitFor();
  await desk.goto(town.url + "/plus/clients/100042?tab=history");
  await desk.getByRole("button", { name: "Send Secure Payment Link" }).click();
  await desk.getByRole("radio", { name: "30 days" }).check({ force: true });
  await desk.getByRole("button", { name: "Get Summary" }).click();
  await desk.getByRole("button", { name: "Send Message" }).click();
  const payer = await town.phone();
  await payer.goto(await town.linkSentTo("+18045550142"));
  await payer.waitForURL(town.url + "/pay");
  const field = (title) => payer.frameLocator(`iframe[title="${title}"]`).getByRole("textbox").first();
  await field("Secure card number input frame").fill("4242424242424242");
  await field("Secure expiration date input frame").fill("12 / 34");
  await field("Secure CVC input frame").fill("123");
  await payer.getByLabel("ZIP code").fill("23219");
  await payer.getByRole("checkbox").check();
  await desk.getByText("Opened on a phone").waitFor();
  await desk.evaluate(() => { if (document.activeElement instanceof HTMLElement) document.activeElement.blur(); });
  await desk.screenshot({ path: join(to, "desk.png"), animations: "disabled" });
  await payer.screenshot({ path: join(to, "payer.png"), animations: "disabled", fullPage: true });
} finally {
  for (const end of ends) await end();
}
