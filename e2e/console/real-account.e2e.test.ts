/**
 * Accounts and secrets in a real browser against the real control plane: what an administrator gives is what the person then sees, a second
 * factor is asked for, a session that was ended opens nothing, and a value that was written is shown nowhere.
 */
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { paths } from "@holdfast/console/paths.ts";
import { totpCode } from "@holdfast/control/account/totp.ts";
import { loginAnswerSchema, meSchema } from "@holdfast/core/api/account.ts";
import { ControlInstance } from "@holdfast/testkit/control-plane/control-instance.ts";
import { ApiRefusal, Operator } from "@holdfast/testkit/operator/operator.ts";
import { REPOSITORY_ROOT } from "@holdfast/testkit/repository.ts";
import { RunningProcess } from "@holdfast/testkit/servers/child.ts";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { withBrowser } from "./browser.ts";
import { signIn } from "./steps.ts";

const WAIT_MS = 60_000;
const PASSWORD = "a longer password of mine";
const STEP_MS = 30_000;
const ADMIN = "admin";

let data = "";
let url = "";
let adminPassword = "";
let control: ControlInstance | undefined;
let operator: Operator;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}

beforeAll(async () => {
  const built = spawnSync(join(REPOSITORY_ROOT, "deploy/dev/build-console.sh"), { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`the console could not be built:\n${built.stderr}`);
  data = mkdtempSync("/var/tmp/holdfast-account-");
  // The database's user must be able to enter it.
  chmodSync(data, 0o711);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  control = new ControlInstance(
    { spawn: (argv, options) => new RunningProcess(argv, options) },
    {
      HOLDFAST_DATA_DIR: data,
      HOLDFAST_HTTP_PORT: String(port),
      HOLDFAST_METRICS_PORT: "0",
      HOLDFAST_AGENT_HOST: "127.0.0.1",
      HOLDFAST_AGENT_PORT: String(await freePort()),
      HOLDFAST_AGENT_NAMES: "127.0.0.1",
    },
  );
  await control.ready(url);
  const login = await control.login;
  if (login === null) throw new Error(`the control plane says no login:\n${control.output}`);
  ({ operator, password: adminPassword } = await Operator.first(url, login));
  for (const [name, role] of [
    ["web-1", "web"],
    ["db-1", "db"],
  ] as const)
    await operator.call("createServer", { body: { name, labels: { role } }, answer: z.unknown() });
}, 240_000);

afterAll(async () => {
  await control?.stop();
  rmSync(data, { recursive: true, force: true });
}, 60_000);

async function withPage(run: (page: Page) => Promise<void>): Promise<void> {
  await withBrowser({ viewport: { width: 1280, height: 900 }, locale: "en" }, async (context) => {
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    await run(page);
    expect(complaints).toEqual([]);
  });
}

async function signOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in", exact: true }).waitFor();
}

/** The shown-once secret of the dialog that is open. */
async function shownOnce(page: Page): Promise<string> {
  const text = await page.getByRole("dialog").locator(".hf-copy-block code").textContent();
  await page.getByRole("button", { name: "I have kept it" }).click();
  return text ?? "";
}

/** As an authenticator does: the text it was given back to bytes. */
function bytesOf(base32: string): Buffer {
  const bits = base32
    .split("")
    .map((letter) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter).toString(2).padStart(5, "0"));
  return Buffer.from((bits.join("").match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}

test("what an administrator gives is what the person sees; a second factor is asked for; an ended session opens nothing", async () => {
  await withPage(async (page) => {
    // An account with nothing, and one permission on some servers.
    await signIn(page, url, ADMIN, adminPassword);
    await page.goto(`${url}${paths.users()}`);
    await page.getByRole("button", { name: "New account" }).click();
    await page.locator("#user-name").fill("kim");
    await page.getByRole("dialog").getByLabel("view").uncheck();
    await page.getByRole("button", { name: "Make account" }).click();
    const once_ = await shownOnce(page);
    await page.getByText("they can sign in and see nothing").waitFor();
    await page.getByRole("button", { name: "Give a role or a permission" }).click();
    await page.getByLabel("What", { exact: false }).first().selectOption("view");
    await page.getByLabel("Only on servers with these labels").check();
    await page.locator("#grant-labels").fill("role=web");
    await page.getByText("1 server has them now: web-1").waitFor();
    await page.getByText("kim will hold the permission view on servers with role=web.").waitFor();
    await page.getByRole("button", { name: "Give", exact: true }).click();
    await page.getByRole("row").filter({ hasText: "on servers with role=web" }).waitFor();
    await signOut(page);

    // The person: sees that server and no other.
    await signIn(page, url, "kim", once_);
    await page.getByLabel("Current password").fill(once_);
    await page.getByLabel("New password", { exact: true }).fill(PASSWORD);
    await page.getByLabel("New password again").fill(PASSWORD);
    await page.getByRole("button", { name: "Change password" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.goto(`${url}${paths.servers()}`);
    await page.getByRole("link", { name: "web-1" }).waitFor();
    await expect.poll(() => page.getByText("db-1").count()).toBe(0);
    await page.goto(`${url}${paths.users()}`);
    await page.getByText("does not have the permission “admin”").first().waitFor();

    // A second factor: a wrong password ends no session, the codes are shown once and can be kept.
    await page.goto(`${url}${paths.account()}`);
    await page.getByRole("button", { name: "Set up…" }).click();
    await page.locator("#totp-password").fill("not mine");
    await page.keyboard.press("Enter");
    await page.getByText("account.wrong_password").waitFor();
    await page.locator("#totp-password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByRole("img", { name: "QR code of the secret for your authenticator" }).waitFor();
    const secret = bytesOf((await page.getByRole("dialog").locator(".hf-copy-block code").textContent()) ?? "");
    const step = Math.floor(Date.now() / STEP_MS);
    await page.locator("#totp-code").fill(totpCode(secret, step));
    await page.getByRole("button", { name: "Turn on" }).click();
    const codes = page.getByRole("list", { name: "Recovery codes" }).getByRole("listitem");
    await codes.first().waitFor();
    await expect.poll(() => codes.count()).toBe(10);
    const [kept] = await codes.allTextContents();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save as a file" }).click();
    expect(readFileSync(await (await download).path(), "utf8")).toContain(kept);
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "I have kept them" }).click();
    await page.getByText("Signing in asks for a code of your authenticator as well.").waitFor();
    await signOut(page);
    await page.locator("#user").fill("kim");
    await page.locator("#password").fill(PASSWORD);
    await page.keyboard.press("Enter");
    await page.getByText("This account signs in with a code too.").waitFor();
    // The next one: the one that confirmed it has been used, and a slow machine may have passed into its time already.
    await page.locator("#code").fill(totpCode(secret, Math.max(step, Math.floor(Date.now() / STEP_MS)) + 1));
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Overview" }).waitFor();

    // Somebody else is signed in as this person, until that session is ended.
    const anonymous = new Operator(url, "");
    const other = await anonymous.call("login", {
      body: { user: "kim", password: PASSWORD, code: kept },
      answer: loginAnswerSchema,
    });
    const stranger = new Operator(url, other.sessionToken ?? "");
    await stranger.call("me", { answer: meSchema });
    await page.goto(`${url}${paths.account()}`);
    const mine = page.getByRole("row").filter({ hasText: "this one" });
    await expect.poll(() => mine.getByRole("button", { name: /^End/ }).getAttribute("aria-disabled")).toBe("true");
    await page.getByRole("button", { name: "End all other sessions" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "End all other sessions" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    // The list is read anew after the dialog has closed.
    await page.getByRole("row").filter({ hasText: "Session" }).nth(1).waitFor({ state: "detached" });
    await expect.poll(() => mine.count()).toBe(1);
    const refused = await stranger.call("me", { answer: meSchema }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 401 });
    expect(refused).toBeInstanceOf(ApiRefusal);
    await signOut(page);

    // Who has lost the authenticator and the codes asks an administrator.
    await signIn(page, url, ADMIN, adminPassword);
    await page.goto(`${url}${paths.user("kim")}`);
    await page.getByRole("button", { name: "Take the second factor away" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Take the second factor away" }).click();
    await page.getByText("With a password alone.").waitFor();
    const again = await anonymous.call("login", {
      body: { user: "kim", password: PASSWORD },
      answer: loginAnswerSchema,
    });
    expect(again.secondFactor).toBe(false);
  });
}, 300_000);

test("a secret is written and only its fingerprint is seen; the same value twice is refused, in the words of the API", async () => {
  const value = randomBytes(24).toString("base64url");
  await withPage(async (page) => {
    await signIn(page, url, ADMIN, adminPassword);
    await page.goto(`${url}${paths.secrets()}`);
    await page.getByText("No secret yet.").waitFor();
    await page.getByRole("button", { name: "New secret" }).click();
    await page.locator("#secret-name").fill("acme-vpn");
    await page.locator("#secret-value").fill(value);
    await page.getByRole("button", { name: "Write", exact: true }).click();
    const row = page.getByRole("row").filter({ hasText: "acme-vpn" });
    await row.getByText("version 1").waitFor();
    const secrets = await operator.call("listSecrets", {
      answer: z.object({ items: z.array(z.object({ versions: z.array(z.object({ fingerprint: z.string() })) })) }),
    });
    await row.getByText(secrets.items[0]?.versions[0]?.fingerprint ?? "no fingerprint").waitFor();
    await row.getByRole("button", { name: "New value", exact: true }).click();
    await page.locator("#secret-value").fill(value);
    await page.getByRole("button", { name: "Write", exact: true }).click();
    await page.getByText("secret.same_value").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    expect(await page.content()).not.toContain(value);
    await row.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("dialog").getByRole("textbox").fill("acme-vpn");
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("No secret yet.").waitFor();
  });
}, 200_000);
