/**
 * Sign-in by a provider as a person does it: a real browser, the built console, a control plane of its own and a real provider on another site.
 * What only a browser can show is that its cookie is sent by our page and not by the way back, and that the page's own rules let it leave.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CLIENT_ID, CLIENT_SECRET, type IdentityProvider, startProvider } from "@holdfast/testkit/identity-provider.ts";
import { REPOSITORY_ROOT } from "@holdfast/testkit/repository.ts";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withBrowser } from "./browser.ts";

const WAIT_MS = 60_000;

let provider: IdentityProvider;
let controlPlane: ChildProcess;
let folder = "";
let url = "";
let admin = "";

beforeAll(async () => {
  const built = spawnSync(join(REPOSITORY_ROOT, "deploy/dev/build-console.sh"), { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`the console could not be built:\n${built.stderr}`);
  url = `http://127.0.0.1:${await freePort()}`;
  provider = await startProvider(`${url}/login/oidc`, "localhost");
  folder = mkdtempSync(join(tmpdir(), "holdfast-provider-"));
  // The database's user must be able to enter it.
  chmodSync(folder, 0o711);
  const secret = join(folder, "client.secret");
  writeFileSync(secret, CLIENT_SECRET, { mode: 0o600 });
  const file = join(folder, "oidc.json");
  const settings = { issuer: provider.issuer, clientId: CLIENT_ID, clientSecretFile: secret, label: "Example ID" };
  writeFileSync(file, JSON.stringify(settings), { mode: 0o600 });
  admin = await started(file);
}, 240_000);

afterAll(async () => {
  const ended = new Promise((resolve) => controlPlane.once("close", resolve));
  controlPlane.kill("SIGTERM");
  await ended;
  await provider.close();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A session of the first administrator. */
async function started(file: string): Promise<string> {
  controlPlane = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", "control/src/main.ts"], {
    cwd: REPOSITORY_ROOT,
    env: {
      ...process.env,
      HOLDFAST_DATA_DIR: folder,
      HOLDFAST_HTTP_PORT: new URL(url).port,
      HOLDFAST_AGENT_PORT: "0",
      HOLDFAST_AGENT_HOST: "127.0.0.1",
      HOLDFAST_METRICS_PORT: "0",
      HOLDFAST_OIDC_FILE: file,
      DATABASE_URL: "",
      HOLDFAST_DATABASE_OWNER_URL: "",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  const password = await new Promise<string>((resolve, reject) => {
    controlPlane.once("close", (code) => reject(new Error(`it ended with ${String(code)}: ${output}`)));
    controlPlane.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      const login = /^Login: {4}admin \/ (\S+)$/m.exec(output)?.[1];
      if (login !== undefined && /^Console: /m.test(output)) resolve(login);
    });
  });
  const { sessionToken } = (await send(null, "/session", { user: "admin", password })) as { sessionToken: string };
  await send(sessionToken, "/me/password", { current: password, next: "a password to keep" });
  return sessionToken;
}

async function send(token: string | null, path: string, body: object): Promise<unknown> {
  const answer = await fetch(`${url}/api/v1${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
  return answer.json();
}

async function pressAndSignInThere(page: Page, subject: string): Promise<void> {
  await page.getByRole("button", { name: "Sign in with Example ID" }).click();
  await page.waitForURL((address) => address.origin === provider.issuer);
  await page.locator("input[name=login]").fill(subject);
  await page.locator("input[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
  await page.locator("input[name=prompt][value=consent]").waitFor({ state: "attached" });
  await page.locator("button[type=submit]").click();
  await page.waitForURL((address) => address.origin === url);
}

test("the button leads to the provider and back to where one wanted to go; who is not linked hears their subject", async () => {
  await send(admin, "/users", { name: "sora", permissions: ["view"] });
  await withBrowser({ viewport: { width: 1280, height: 900 }, locale: "en" }, async (context) => {
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    // As somebody who is not signed in and opens a page of the console.
    await page.goto(`${url}/changes`);
    await page.waitForURL(/\/login\?next=/);
    await pressAndSignInThere(page, "subject-of-sora");
    await page.getByText("Give an administrator what stands below").waitFor();
    await page.getByText("the subject subject-of-sora").waitFor();
    // What came back stands in no address any more.
    expect(new URL(page.url()).search).toBe("");

    await send(admin, "/users/sora/identities", { subject: "subject-of-sora" });
    await page.goto(`${url}/changes`);
    await page.waitForURL(/\/login\?next=/);
    // The provider remembers the person: its pages send back at once.
    await page.getByRole("button", { name: "Sign in with Example ID" }).click();
    await page.waitForURL(`${url}/changes`);
    await page.getByRole("heading", { name: "Changes", level: 1 }).waitFor();
    await page.getByRole("button", { name: /sora/ }).waitFor();
    const cookies = (await context.cookies(url)).map(({ name, httpOnly, sameSite }) => ({ name, httpOnly, sameSite }));
    expect(cookies).toEqual([{ name: "holdfast", httpOnly: true, sameSite: "Strict" }]);
    expect(complaints).toEqual([]);
  });
}, 240_000);

test("a way back that this browser did not begin leads nowhere, in the reader's language", async () => {
  await withBrowser({ viewport: { width: 1280, height: 900 }, locale: "ko" }, async (context) => {
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    await page.goto(`${url}/login/oidc?code=made-up&state=made-up`);
    await page.getByText("이 브라우저에서 시작한 로그인이 아니거나").waitFor();
    await page.getByRole("button", { name: "로그인으로 돌아가기" }).click();
    await page.getByRole("button", { name: "Example ID(으)로 로그인" }).waitFor();
    expect(await context.cookies(url)).toEqual([]);
  });
}, 240_000);
