/**
 * A passkey in a real browser with an authenticator of Chromium's own, against the real control plane: made, asked for in the middle of an
 * apply that then goes on, signed in with, and kept while a floor needs it.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { paths } from "@holdfast/console/paths.ts";
import { oneTimePasswordSchema } from "@holdfast/core/api/account.ts";
import { rolloutSchema } from "@holdfast/core/api/change.ts";
import { floorText, policyText, PORTS, TEST_TRIAL, USUAL_RULES } from "@holdfast/testkit/house/documents.ts";
import { House } from "@holdfast/testkit/house/house.ts";
import { REPOSITORY_ROOT } from "@holdfast/testkit/repository.ts";
import { tcpConnect } from "@holdfast/testkit/servers/probes.ts";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withBrowser } from "./browser.ts";
import { flawsOf } from "./flaws.ts";

const WAIT_MS = 90_000;
const PASSWORD = "a longer password of mine";
const POLICY = "host-web-1";

let house: House;
let url = "";
let oneTime = "";

beforeAll(async () => {
  const built = spawnSync(join(REPOSITORY_ROOT, "deploy/dev/build-console.sh"), { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`the console could not be built:\n${built.stderr}`);
  house = await House.open({ servers: [{ name: "web-1" }], trial: TEST_TRIAL, publicHost: "localhost" });
  url = house.operator.url.replace("127.0.0.1", "localhost");
  const made = await house.operator.call("createUser", {
    body: { name: "sora", permissions: ["view", "edit", "apply"] },
    answer: oneTimePasswordSchema,
  });
  oneTime = made.password;
  // The operator of the tests is a program with a token. No server has anything to do: the floor is taken over at once.
  const asking = `${floorText(TEST_TRIAL)}stepUp: { within: 15m, tokens: allowed }\n`;
  const { id, plans } = await house.operator.plan("Ask people again", [asking]);
  const rollout = await house.operator.call("applyChange", {
    params: { id },
    body: { plans: plans.map((plan) => ({ planId: plan.id, planDigest: plan.planDigest })) },
    answer: rolloutSchema,
  });
  expect(rollout.state).toBe("DONE");
}, 240_000);
afterAll(() => house.close(), 60_000);

/** A phone or laptop that verifies its person without asking anybody here. */
async function authenticatorOf(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
}

test("a passkey is made, shown in the middle of an apply that goes on, signs in alone, and is kept while a floor needs it", async () => {
  await withBrowser({ viewport: { width: 1280, height: 900 }, locale: "en" }, async (context) => {
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    await authenticatorOf(page);

    await page.goto(`${url}/login`);
    await page.locator("#user").fill("sora");
    await page.locator("#password").fill(oneTime);
    await page.keyboard.press("Enter");
    await page.getByLabel("Current password").fill(oneTime);
    await page.getByLabel("New password", { exact: true }).fill(PASSWORD);
    await page.getByLabel("New password again").fill(PASSWORD);
    await page.getByRole("button", { name: "Change password" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();

    // Made here, with the password; the slip of paper is shown once.
    await page.goto(`${url}${paths.account()}`);
    await page.getByText("You have no passkey.").waitFor();
    await page.getByRole("button", { name: "New passkey" }).click();
    await page.locator("#passkey-name").fill("this laptop");
    await page.locator("#passkey-password").fill(PASSWORD);
    expect(await flawsOf(page, "[role=dialog]")).toEqual([]);
    await page.getByRole("button", { name: "Make the passkey" }).click();
    await page.getByRole("dialog", { name: "Recovery codes" }).waitFor();
    expect(await flawsOf(page, "[role=dialog]")).toEqual([]);
    await page.getByRole("button", { name: "I have kept it" }).click();
    await page.getByText("this laptop").waitFor();

    // This session has shown a password only: the floor asks, the person shows the passkey, and it goes on.
    const rules = { ...USUAL_RULES, other: `allow: tcp/${PORTS.other}, from: any` };
    await page.goto(`${url}${paths.editDocument("Policy", POLICY, { view: "text" })}`);
    await page.getByRole("textbox", { name: `Text of ${POLICY}` }).click();
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText(policyText({ server: "web-1", inbound: rules }));
    await page.getByText("1 pending edit").waitFor();
    await page.getByRole("button", { name: "Review…" }).click();
    await page.getByLabel("Title of the change").fill("Open another port");
    await page.getByRole("button", { name: "Ask the servers" }).click();
    await page.getByRole("button", { name: /^Apply to 1 server/ }).click();
    const dialog = page.getByRole("dialog", { name: "Show that it is you" });
    await dialog.getByText("none was shown in this session").waitFor();
    expect(await flawsOf(page, "[role=dialog]")).toEqual([]);
    expect(await tcpConnect(house.networks.visitor, house.server("web-1").address, PORTS.other)).not.toBe("open");
    await dialog.getByRole("button", { name: "Use a passkey" }).click();
    await page.waitForURL(/\/rollouts\//);
    await page.getByText("Ended: 1 of 1 servers as asked.").first().waitFor();
    expect(await tcpConnect(house.networks.visitor, house.server("web-1").address, PORTS.other)).toBe("open");

    // Out, and in again with nothing typed. The password alone is no way in any more.
    await page.getByRole("button", { name: /sora/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.locator("#user").fill("sora");
    await page.locator("#password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByText("This account signs in with its passkey.").waitFor();
    await page.getByRole("button", { name: "Sign in with a passkey" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();

    // A floor asks for it, so the last one stays.
    await page.goto(`${url}${paths.account()}`);
    await page.getByRole("button", { name: "Remove the passkey this laptop" }).click();
    await page.locator("#passkey-password").fill(PASSWORD);
    await page.getByRole("dialog").getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByText("account.last_factor").waitFor();
    expect(complaints).toEqual([]);
  });
}, 400_000);
