/**
 * Every page of the console in its states, as pictures to be looked at: node e2e/console/take-screenshots.ts FOLDER [part of a name]
 * The pictures are made from the mock API and are not kept in git, but for those of the user guide (docs/guide).
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Scenario } from "@holdfast/console/mock-api/seed.ts";
import { paths } from "@holdfast/console/paths.ts";
import { REPOSITORY_ROOT } from "@holdfast/testkit/repository.ts";
import type { Page } from "playwright-core";
import { withBrowser } from "./browser.ts";
import { type MockServer, startMockServer } from "./mock-server.ts";
import { signIn } from "./steps.ts";

interface Shot {
  readonly name: string;
  readonly scenario: Scenario;
  readonly path: string;
  readonly act?: (page: Page, server: MockServer) => Promise<void>;
}

const WIDE = { width: 1440, height: 900 };
const IN_GUIDE = { width: 1200, height: 720 };
const NARROW = { width: 390, height: 844 };
const SMALLEST = { width: 320, height: 640 };
/** Lists and charts settle; a running trial has begun. */
const SETTLE_MS = 700;

const click =
  (name: string | RegExp) =>
  async (page: Page): Promise<void> => {
    await page.getByRole("button", { name }).first().click();
  };

/** In the form of a request; what the mock says of it stands in it. */
const requestText = (word: string): string =>
  `-----BEGIN CERTIFICATE REQUEST-----\nMII${word}${"B".repeat(93)}\n-----END CERTIFICATE REQUEST-----\n`;

/** By what stands where, so that it is found in every language. */
async function certifyPeople(page: Page, word: string): Promise<void> {
  await click(/^(Let people in…|사람 접속 허용…)$/)(page);
  const dialog = page.getByRole("dialog");
  const fields = dialog.locator("input");
  await fields.nth(0).fill("field-staff");
  await dialog.locator("select").nth(0).selectOption("gw-seoul");
  await dialog.locator("select").nth(1).selectOption({ index: 1 });
  await fields.nth(1).fill("203.0.113.10");
  await fields.nth(3).fill("10.10.0.0/16");
  await fields.nth(4).fill("10.99.0.0/24");
  const person = dialog.locator(".hf-people > div").last();
  await person.locator("input").nth(0).fill("alice");
  await person.locator("input").nth(1).fill("alice@example.com");
  await person.locator("textarea").fill(requestText(word));
  await person.locator("summary").first().click();
  await page.waitForTimeout(SETTLE_MS);
  await person.locator("summary").first().scrollIntoViewIfNeeded();
}

const SHOTS: readonly Shot[] = [
  { name: "overview-empty", scenario: "empty", path: paths.overview() },
  { name: "overview-calm", scenario: "calm", path: paths.overview() },
  { name: "overview-busy", scenario: "busy", path: paths.overview() },
  {
    name: "overview-unreachable",
    scenario: "busy",
    path: paths.overview(),
    act: async (page, server) => {
      server.setReachable(false);
      await page.waitForTimeout(4000);
    },
  },
  { name: "servers-busy", scenario: "busy", path: paths.servers() },
  { name: "servers-large", scenario: "large", path: paths.servers() },
  {
    name: "servers-views",
    scenario: "busy",
    path: `${paths.servers()}?q=role%3Aweb`,
    act: click("Views"),
  },
  {
    name: "servers-enrol",
    scenario: "calm",
    path: paths.servers(),
    act: async (page) => {
      await click(/Enroll/)(page);
      await page.getByLabel("Name").fill("web-9");
      await click("Make the command")(page);
    },
  },
  { name: "server-on-trial", scenario: "busy", path: paths.server("web-2") },
  { name: "server-locked", scenario: "busy", path: paths.server("db-2") },
  { name: "server-key-waits", scenario: "busy", path: paths.server("web-4") },
  { name: "server-config", scenario: "busy", path: paths.server("web-1", { tab: "config" }) },
  { name: "server-live", scenario: "busy", path: paths.server("web-1", { tab: "live" }) },
  {
    name: "server-live-foreign",
    scenario: "busy",
    path: `${paths.server("web-1", { tab: "live" })}&domain=network`,
    act: async (page) => {
      await page.getByText(/^What others have set here/).click();
      await page.getByText("50-wg0.netdev").first().click();
    },
  },
  { name: "server-live-system", scenario: "busy", path: `${paths.server("web-1", { tab: "live" })}&domain=system` },
  { name: "server-network", scenario: "calm", path: paths.server("web-1", { tab: "live", domain: "network" }) },
  { name: "server-network-drift", scenario: "busy", path: paths.server("web-3", { tab: "live", domain: "network" }) },
  { name: "server-system", scenario: "calm", path: paths.server("web-1", { tab: "live", domain: "system" }) },
  { name: "server-system-drift", scenario: "busy", path: paths.server("web-3", { tab: "live", domain: "system" }) },
  { name: "server-vpn", scenario: "calm", path: paths.server("web-1", { tab: "live", domain: "vpn" }) },
  { name: "server-observe", scenario: "calm", path: paths.server("mon-1", { tab: "observe" }) },
  {
    name: "server-packets",
    scenario: "calm",
    path: paths.server("web-1", { tab: "packets" }),
    act: click("Look at packets"),
  },
  {
    name: "server-packets-allow",
    scenario: "calm",
    path: paths.server("web-1", { tab: "packets", q: "8080" }),
    act: async (page) => {
      await click("Look at packets")(page);
      await click("Allow this")(page);
    },
  },
  {
    name: "server-tools",
    scenario: "calm",
    path: paths.server("web-1", { tab: "tools", q: "192.0.2.53" }),
    act: click("Run"),
  },
  { name: "server-tools-missing", scenario: "calm", path: paths.server("web-1", { tab: "tools", tool: "trace" }) },
  {
    name: "server-tools-capture",
    scenario: "calm",
    path: paths.server("web-1", { tab: "tools", tool: "capture" }),
    act: click("Run"),
  },
  {
    name: "server-vpn-act",
    scenario: "calm",
    path: paths.server("web-1", { tab: "live", domain: "vpn" }),
    act: async (page) => {
      await page.locator(".hf-tunnel").last().locator(".hf-actions button").last().click();
      await page.locator(".hf-findings").waitFor();
    },
  },
  { name: "server-live-drift", scenario: "busy", path: paths.server("web-3", { tab: "live" }) },
  { name: "server-live-offline", scenario: "busy", path: paths.server("gw-seoul", { tab: "live" }) },
  { name: "server-history", scenario: "busy", path: paths.server("web-1", { tab: "history" }) },
  { name: "server-agent", scenario: "busy", path: paths.server("web-1", { tab: "agent" }) },
  { name: "documents", scenario: "busy", path: paths.documents() },
  { name: "documents-empty", scenario: "empty", path: paths.documents() },
  { name: "document", scenario: "busy", path: paths.document("Policy", "web-host") },
  { name: "document-history", scenario: "busy", path: paths.document("Policy", "web-host", { tab: "history" }) },
  { name: "document-compare", scenario: "busy", path: paths.document("Policy", "web-host", { tab: "compare" }) },
  { name: "editor-rules", scenario: "busy", path: paths.editDocument("Policy", "web-host", { view: "rules" }) },
  {
    name: "editor-rules-chosen",
    scenario: "busy",
    path: paths.editDocument("Policy", "web-host", { view: "rules" }),
    act: async (page) => {
      await page.locator("[data-rule] input[type=checkbox]:not([role])").first().check();
      await page.locator("[data-rule] button[aria-expanded]").first().click();
    },
  },
  { name: "editor-network", scenario: "busy", path: paths.editDocument("Policy", "office-net", { view: "network" }) },
  { name: "editor-system", scenario: "busy", path: paths.editDocument("Policy", "office-net", { view: "system" }) },
  { name: "editor-tunnel", scenario: "busy", path: paths.editDocument("Tunnel", "seoul-busan", { view: "form" }) },
  {
    name: "tunnel-wizard",
    scenario: "busy",
    path: paths.documents(),
    act: async (page) => {
      await click("Connect two sites…")(page);
      await page.getByLabel("Name of the tunnel").fill("seoul-acme");
      await page.getByLabel("They prove themselves").selectOption("by certificates that Holdfast issues");
      await page.getByLabel("Server", { exact: true }).last().selectOption("Somebody else’s");
    },
  },
  {
    name: "people-wizard",
    scenario: "busy",
    path: paths.documents(),
    act: async (page) => {
      await click("Let people in…")(page);
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Name of the tunnel").fill("field-staff");
      await dialog.getByLabel("Server they call").selectOption("gw-seoul");
      await dialog.getByLabel("Address that devices call").fill("203.0.113.10");
      await dialog.getByLabel("What goes into the tunnel").fill("10.10.0.0/16");
      await dialog.getByLabel("Addresses they are given").fill("10.99.0.0/24");
      await dialog.getByLabel("Name", { exact: true }).fill("alice");
      await dialog.getByLabel("Identity").fill("alice@example.com");
      await dialog.getByText("Sheet for alice").click();
    },
  },
  {
    name: "people-certificates",
    scenario: "calm",
    path: paths.documents(),
    act: (page) => certifyPeople(page, "GOOD"),
  },
  {
    name: "people-certificates-wrong",
    scenario: "calm",
    path: paths.documents(),
    act: (page) => certifyPeople(page, "WEAK"),
  },
  {
    name: "people-certificates-issued",
    scenario: "calm",
    path: paths.documents(),
    act: async (page) => {
      await certifyPeople(page, "GOOD");
      await page.getByRole("button", { name: /^Issue the certificates|^인증서를 발급하고/ }).click();
    },
  },
  { name: "people-of-tunnel", scenario: "calm", path: paths.document("Tunnel", "remote-staff") },
  {
    name: "certify-empty",
    scenario: "calm",
    path: paths.document("Tunnel", "remote-staff"),
    act: click(/^(Certify a person…|사람 인증서 발급…)$/),
  },
  {
    name: "certify-key-pasted",
    scenario: "calm",
    path: paths.document("Tunnel", "remote-staff"),
    act: async (page) => {
      await click(/dana$/)(page);
      const certify = page.getByRole("dialog");
      await certify.getByLabel(/^(Request of their device|기기의 요청)$/).fill("-----BEGIN PRIVATE KEY-----");
      await certify.locator("summary").first().click();
    },
  },
  {
    name: "certify-other-key",
    scenario: "calm",
    path: paths.document("Tunnel", "remote-staff"),
    act: async (page) => {
      await click(/(Renew…|갱신…) min-ji$/)(page);
      await page
        .getByRole("dialog")
        .getByLabel(/^(Request of their device|기기의 요청)$/)
        .fill(requestText("DANA"));
    },
  },
  {
    name: "people-revoke",
    scenario: "calm",
    path: paths.document("Tunnel", "remote-staff"),
    act: click(/(Revoke…|해지…) dana$/),
  },
  {
    name: "help-server",
    scenario: "busy",
    path: paths.server("web-2"),
    act: async (page) => {
      await page.keyboard.press("F1");
      await page.getByRole("complementary", { name: "Help for this page" }).waitFor();
    },
  },
  {
    name: "editor-text-errors",
    scenario: "busy",
    path: paths.editDocument("Policy", "web-host", { view: "text" }),
    act: async (page) => {
      await page.getByRole("textbox", { name: /Text of/ }).click();
      await page.keyboard.press("Control+Home");
      for (let line = 0; line < 12; line += 1) await page.keyboard.press("ArrowDown");
      await page.keyboard.type("  defalt: yes\n");
      await page
        .getByText("did you mean")
        .first()
        .waitFor()
        .catch(() => undefined);
    },
  },
  {
    name: "review-danger",
    scenario: "calm",
    path: paths.editDocument("Policy", "web-host", { view: "rules" }),
    act: async (page) => {
      await click("Remove ssh")(page);
      await click("Review…")(page);
      await click("Ask the servers")(page);
      await page.getByRole("heading", { name: /What it would do/ }).waitFor();
    },
  },
  {
    name: "rollout-running",
    scenario: "busy",
    path: paths.changes(),
    act: async (page) => {
      await page.getByRole("link", { name: "HTTP/3 for everybody" }).first().click();
      await page.getByRole("link", { name: "Watch the newest rollout" }).click();
    },
  },
  {
    name: "apply-restore-failed",
    scenario: "busy",
    path: paths.failures(),
    act: async (page) => {
      await page.getByRole("link", { name: "Only the application may reach PostgreSQL" }).first().click();
    },
  },
  { name: "apply-in-doubt", scenario: "busy", path: paths.server("gw-seoul") },
  { name: "changes", scenario: "busy", path: paths.changes() },
  { name: "failures", scenario: "busy", path: paths.failures() },
  { name: "audit", scenario: "busy", path: paths.audit() },
  { name: "audit-servers-know-more", scenario: "large", path: paths.audit() },
  { name: "settings-account", scenario: "busy", path: paths.account() },
  {
    name: "settings-totp",
    scenario: "busy",
    path: paths.account(),
    act: async (page) => {
      await page.getByRole("main").getByRole("button").first().click();
      await page.locator("#totp-password").fill("correct horse");
      await page.keyboard.press("Enter");
      await page.locator("#totp-code").fill("123456");
    },
  },
  {
    name: "settings-recovery",
    scenario: "busy",
    path: paths.account(),
    act: async (page) => {
      await page.getByRole("main").getByRole("button").first().click();
      await page.locator("#totp-password").fill("correct horse");
      await page.keyboard.press("Enter");
      await page.locator("#totp-code").fill("123456");
      await page.keyboard.press("Enter");
    },
  },
  {
    name: "settings-account-failing",
    scenario: "busy",
    path: paths.account(),
    act: async (page, server) => {
      server.setReachable(false);
      await page.getByRole("main").getByRole("button").first().click();
      await page.locator("#totp-password").fill("correct horse");
      await page.keyboard.press("Enter");
      await page.waitForTimeout(4000);
    },
  },
  { name: "settings-tokens", scenario: "busy", path: paths.tokens() },
  { name: "settings-users", scenario: "busy", path: paths.users() },
  {
    name: "settings-users-new",
    scenario: "busy",
    path: paths.users(),
    act: async (page) => page.locator(".hf-head-actions button").click(),
  },
  { name: "settings-user", scenario: "busy", path: paths.user("sora") },
  {
    name: "settings-user-link",
    scenario: "busy",
    path: paths.user("jules"),
    act: async (page, server) => {
      server.setProvider("Company ID");
      await page.reload();
      await page.locator("#user-links button").click();
      await page.locator("#link-subject").fill("f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    },
  },
  {
    name: "change-approved-by-me",
    scenario: "busy",
    path: paths.changes(),
    act: async (page) => {
      await page.getByRole("link", { name: "Metrics for the new monitoring" }).first().click();
      await page.locator("main .hf-line-row button.pf-m-secondary").first().click();
    },
  },
  { name: "settings-service", scenario: "busy", path: paths.user("nightly-ci") },
  {
    name: "settings-grant",
    scenario: "busy",
    path: paths.user("sora"),
    act: async (page) => {
      await page.locator("main .pf-v6-c-card .hf-actions button.pf-m-primary").first().click();
      await page.locator("#grant-what").selectOption("role operator");
      await page.locator("#grant-narrow").check();
      await page.locator("#grant-labels").fill("role=web");
      await page.locator("#grant-domain-vpn").uncheck();
    },
  },
  { name: "settings-roles", scenario: "busy", path: paths.roles() },
  { name: "settings-roles-empty", scenario: "empty", path: paths.roles() },
  { name: "settings-secrets", scenario: "busy", path: paths.secrets() },
  { name: "settings-secrets-empty", scenario: "empty", path: paths.secrets() },
  {
    name: "settings-secret-new",
    scenario: "busy",
    path: paths.secrets(),
    act: async (page) => page.locator(".hf-head-actions button").click(),
  },
  {
    name: "settings-rotate",
    scenario: "busy",
    path: paths.secrets(),
    act: async (page) => page.locator("tr:has-text('tunnel.seoul-busan') button").first().click(),
  },
  { name: "settings-agents", scenario: "busy", path: paths.agents() },
  { name: "settings-agents-empty", scenario: "empty", path: paths.agents() },
  { name: "server-floor-lost", scenario: "busy", path: paths.server("db-1") },
  { name: "server-drift", scenario: "busy", path: paths.server("web-3") },
  {
    name: "audit-accept",
    scenario: "large",
    path: paths.audit(),
    act: async (page) => {
      await page.locator("main button.pf-m-danger").first().click();
    },
  },
  { name: "settings-notifications", scenario: "busy", path: paths.notifications() },
  { name: "settings-notifications-empty", scenario: "empty", path: paths.notifications() },
  { name: "settings-retention", scenario: "busy", path: paths.retention() },
  { name: "doctor", scenario: "busy", path: paths.doctor() },
];

/** Pictures of the user guide: docs/guide.md names each. */
const GUIDE: readonly string[] = [
  "overview-empty",
  "servers-enrol",
  "editor-rules-chosen",
  "review-danger",
  "rollout-running",
  "server-on-trial",
  "apply-restore-failed",
  "server-observe",
  "tunnel-wizard",
  "people-wizard",
  "server-packets",
  "server-tools",
  "help-server",
];

/** Pixels; a page that is longer is cut there. */
const TALLEST = 4000;
/** Of a picture in the guide, which is kept in git and read beside text: what is below says no more. */
const TALLEST_IN_GUIDE = 1000;

/** The content scrolls inside the frame: the window is made as high as all of it. */
async function wholeHeight(page: Page, least: number, most: number): Promise<number> {
  const extra = await page.evaluate<number>(
    "Math.max(0, ...[...document.querySelectorAll('main, .hf-scroll')].map((one) => one.scrollHeight - one.clientHeight))",
  );
  return Math.min(most, least + extra);
}

interface Look {
  readonly size: typeof WIDE;
  readonly dark: boolean;
  readonly language: string;
  /** Behind the name of the file; empty for the guide, whose pictures are small. */
  readonly label: string;
}

async function shoot(folder: string, shots: readonly Shot[], look: Look): Promise<void> {
  const forGuide = look.label === "";
  for (const shot of shots) {
    const server = await startMockServer(shot.scenario);
    try {
      await withBrowser(
        { viewport: look.size, colorScheme: look.dark ? "dark" : "light", locale: look.language },
        async (context) => {
          const page = await context.newPage();
          page.on("console", (message) =>
            message.type() === "error" ? console.error(`${shot.name}: ${message.text()}`) : undefined,
          );
          page.on("pageerror", (error) => console.error(`${shot.name}: ${error.message}`));
          await signIn(page, server.url);
          await page.goto(`${server.url}${shot.path}`);
          await page.getByRole("heading", { level: 1 }).waitFor();
          await page.waitForTimeout(SETTLE_MS);
          await shot.act?.(page, server);
          await page.waitForTimeout(SETTLE_MS);
          const tallest = forGuide ? TALLEST_IN_GUIDE : TALLEST;
          await page.setViewportSize({ ...look.size, height: await wholeHeight(page, look.size.height, tallest) });
          await page.screenshot(
            forGuide
              ? { path: join(folder, `${shot.name}.jpg`), type: "jpeg", quality: 70 }
              : { path: join(folder, `${shot.name}-${look.label}.png`), fullPage: true },
          );
        },
      );
    } catch (error) {
      console.error(`${shot.name}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      await server.close();
    }
  }
}

const [folder = "dist/screenshots", filter = "", looks = "wide"] = process.argv.slice(2);
const wanted = SHOTS.filter(({ name }) => name.includes(filter));
mkdirSync(folder, { recursive: true });
if (looks.includes("wide"))
  await shoot(folder, wanted, { size: WIDE, dark: false, language: "en", label: "wide-light" });
if (looks.includes("dark")) await shoot(folder, wanted, { size: WIDE, dark: true, language: "en", label: "wide-dark" });
if (looks.includes("narrow"))
  await shoot(folder, wanted, { size: NARROW, dark: true, language: "en", label: "narrow-dark" });
if (looks.includes("small"))
  await shoot(folder, wanted, { size: SMALLEST, dark: false, language: "en", label: "small-light" });
if (looks.includes("korean")) await shoot(folder, wanted, { size: WIDE, dark: false, language: "ko", label: "korean" });
if (looks.includes("guide"))
  await shoot(
    join(REPOSITORY_ROOT, "docs/guide"),
    wanted.filter(({ name }) => GUIDE.includes(name)),
    { size: IN_GUIDE, dark: false, language: "en", label: "" },
  );
