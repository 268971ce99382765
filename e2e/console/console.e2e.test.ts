/**
 * The console in a real browser against its mock API, with the control plane's own content security policy: what an operator does by hand,
 * and what must hold on every page.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { en } from "@holdfast/console/i18n/en.ts";
import { ko } from "@holdfast/console/i18n/ko.ts";
import { paths } from "@holdfast/console/paths.ts";
import { REPOSITORY_ROOT } from "@holdfast/testkit/repository.ts";
import type { Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { flawsOf } from "./flaws.ts";
import { signIn } from "./steps.ts";
import { buildConsole, open, visit } from "./visit.ts";

/** Pages that need no id of the day. */
const PAGES = [
  paths.overview(),
  paths.servers(),
  paths.server("web-2"),
  paths.server("db-2"),
  paths.server("web-1", { tab: "config" }),
  paths.server("web-1", { tab: "live" }),
  paths.server("web-1", { tab: "live", domain: "vpn" }),
  paths.server("web-3", { tab: "live", domain: "network" }),
  paths.server("web-3", { tab: "live", domain: "system" }),
  paths.server("mon-1", { tab: "observe" }),
  paths.server("web-1", { tab: "observe" }),
  paths.server("web-1", { tab: "packets" }),
  paths.server("web-1", { tab: "tools" }),
  paths.server("web-1", { tab: "tools", tool: "capture" }),
  paths.server("web-1", { tab: "history" }),
  paths.server("web-1", { tab: "agent" }),
  paths.documents(),
  paths.document("Policy", "web-host"),
  paths.document("Policy", "web-host", { tab: "history" }),
  paths.document("Policy", "web-host", { tab: "compare" }),
  paths.editDocument("Policy", "web-host", { view: "rules" }),
  paths.editDocument("Policy", "web-host", { view: "text" }),
  paths.editDocument("Policy", "office-net", { view: "network" }),
  paths.editDocument("Policy", "office-net", { view: "system" }),
  paths.editDocument("Tunnel", "seoul-busan", { view: "form" }),
  paths.changes(),
  paths.failures(),
  paths.audit(),
  paths.account(),
  paths.tokens(),
  paths.users(),
  paths.user("sora"),
  paths.user("nightly-ci"),
  paths.roles(),
  paths.secrets(),
  paths.agents(),
  paths.notifications(),
  paths.retention(),
  paths.doctor(),
];

beforeAll(buildConsole);

/** Bytes of script, as they travel: what people on a slow line wait for before the first page. */
const MOST_FIRST_SCRIPT = 350_000;

test("the first page needs less than 350 KB of script, compressed", () => {
  const dist = join(REPOSITORY_ROOT, "console/dist");
  const page = readFileSync(join(dist, "index.html"), "utf8");
  const scripts = new Set([...page.matchAll(/"\/?(assets\/[^"]+\.js)"/g)].flatMap(([, path]) => path ?? []));
  expect(scripts.size).toBeGreaterThan(0);
  const bytes = [...scripts].reduce((sum, path) => sum + gzipSync(readFileSync(join(dist, path))).length, 0);
  expect(bytes).toBeLessThan(MOST_FIRST_SCRIPT);
});

test("a stranger sees nothing but the login; a wrong password is refused and what was typed stays", async () => {
  await visit("busy", {}, async ({ page, server }) => {
    await page.goto(`${server.url}${paths.server("web-1")}`);
    await page.getByRole("heading", { name: "Sign in", exact: true }).waitFor();
    await expect.poll(() => page.getByText("web-1").count()).toBe(0);
    await page.getByLabel("User").fill("admin");
    await page.getByLabel("Password").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("User or password is wrong").waitFor();
    await expect.poll(() => page.getByLabel("User").inputValue()).toBe("admin");
    await page.getByLabel("Password").fill("correct horse");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "web-1" }).waitFor();
  });
});

test("a one-time password must be changed before anything else", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url, "new", "one time only");
    await page.getByRole("heading", { name: "Change password", level: 1 }).waitFor();
    await page.goto(`${server.url}${paths.servers()}`);
    await page.getByRole("heading", { name: "Change password", level: 1 }).waitFor();
    await page.getByLabel("Current password").fill("one time only");
    await page.getByLabel("New password", { exact: true }).fill("short");
    await page.getByRole("button", { name: "Change password" }).click();
    await page.getByText("At least 12 characters.").waitFor();
    await page.getByLabel("New password", { exact: true }).fill("a longer password");
    await page.getByLabel("New password again").fill("a longer password");
    await page.getByRole("button", { name: "Change password" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
  });
});

test("a change that cuts the server off is seen to undo itself, with both facts, the reason and a retry", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.editDocument("Policy", "branch-gateway", { view: "text" }));
    await page.getByRole("textbox", { name: "Text of branch-gateway" }).click();
    await page.keyboard.press("Control+End");
    await page.keyboard.insertText("# mock: probe\n");
    await page.getByRole("button", { name: "Review…" }).click();
    await page.getByRole("button", { name: "Ask the servers" }).click();
    await page.getByRole("button", { name: /^Apply to 2 servers/ }).click();
    await page.getByText("The rollout was halted").waitFor({ timeout: 20_000 });
    const story = page.locator(".hf-story");
    await story.getByText("Undone").first().waitFor();
    await story.getByText("as before", { exact: true }).waitFor();
    await story.getByText("Port 443 was open before the change and is closed after it").first().waitFor();
    // The second server was never touched.
    await page.getByText("not begun", { exact: true }).waitFor();
    const confirm = story.getByRole("button", { name: /^Confirm/ });
    await expect.poll(() => confirm.getAttribute("aria-disabled")).toBe("true");
    await expect.poll(() => confirm.textContent()).toContain("The apply has ended.");
    await story.getByRole("button", { name: "Retry" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Retry" }).click();
    await page.getByText("Ended: 1 of 1 servers as asked.").waitFor({ timeout: 20_000 });
  });
});

test("a trial that waits for a person is confirmed, another is aborted with a reason", async () => {
  await visit("busy", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.server("web-2"));
    await page.getByText("a person to press Confirm").waitFor();
    await page.getByRole("button", { name: "Confirm", exact: true }).click();
    await page.getByText("APPLIED").first().waitFor();
    await open(page, server, paths.server("gw-seoul"));
    await page.getByRole("button", { name: "Abort and undo" }).click();
    const dialog = page.getByRole("dialog");
    await expect.poll(() => dialog.getByRole("button", { name: "Abort and undo" }).isDisabled()).toBe(true);
    await dialog.getByLabel("Reason, for those who read it later").fill("customers complain");
    await dialog.getByRole("button", { name: "Abort and undo" }).click();
    await page.getByText("ROLLED_BACK").first().waitFor();
  });
});

test("what is old says so, nothing typed is lost, and it is live again by itself", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.editDocument("Policy", "web-host", { view: "text" }));
    await page.getByText("Live", { exact: true }).waitFor();
    server.setStream(false);
    await page.getByText("Not live · asking every 2 s").waitFor();

    server.setReachable(false);
    await page.getByRole("textbox", { name: "Text of web-host" }).click();
    await page.keyboard.press("Control+End");
    await page.keyboard.insertText("# written while nothing answered\n");
    await page.getByText(/^Connection lost\. You see what was at/).waitFor({ timeout: 15_000 });
    await page.getByText("Not checked: the control plane does not answer.").waitFor();

    server.setReachable(true);
    server.setStream(true);
    await page.getByText("Live", { exact: true }).waitFor({ timeout: 20_000 });
    // The session ends too, and the page is loaded anew: the text is there all the same.
    server.signEverybodyOut();
    await page.reload();
    await page.getByRole("heading", { name: "Sign in", exact: true }).waitFor();
    await page.locator("#user").fill("admin");
    await page.locator("#password").fill("correct horse");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Difference" }).click();
    await page.getByText("+# written while nothing answered").waitFor();
  });
});

test("a viewer sees everything and can press nothing; each button says why", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url, "viewer", "only looking on");
    await open(page, server, paths.servers());
    const enrol = page.getByRole("button", { name: /^Enroll a server/ });
    await expect.poll(() => enrol.getAttribute("aria-disabled")).toBe("true");
    await enrol.focus();
    await page.getByRole("tooltip").getByText("permission “admin”").waitFor();
    await open(page, server, paths.audit());
    await page.getByText("does not have the permission “audit”").waitFor();
  });
});

test("a server is enrolled: one command, its key compared and approved, live", async () => {
  await visit("empty", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await page.getByText("No server yet. The first three steps:").waitFor();
    await page.getByRole("button", { name: "Enroll a server" }).click();
    await page.getByLabel("Name").fill("web-9");
    await page.getByLabel("Labels").fill("role=web");
    await page.getByRole("button", { name: "Make the command" }).click();
    await page.getByText("--server web-9").waitFor();
    const approve = page.getByRole("button", { name: /^Approve this key/ });
    await expect.poll(() => approve.getAttribute("aria-disabled")).toBe("true");
    await page.getByLabel("I have compared it with the one on the server, and they are the same").check();
    await approve.click();
    await page.getByText("web-9 is here").waitFor();
  });
});

test("ten thousand servers: few rows exist, the filter lives in the address", async () => {
  await visit("large", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.servers());
    await page.getByText("10000 of 10000").waitFor({ timeout: 60_000 });
    await expect.poll(() => page.getByRole("row").count()).toBeLessThan(80);
    await page.getByLabel("Filter servers").fill("node-04242");
    await page.getByText("1 of 10000").waitFor();
    await expect.poll(() => page.url()).toContain("q=node-04242");
    await page.getByRole("link", { name: "node-04242" }).waitFor();
  });
});

test("Korean from the first page to the last word of a state", async () => {
  await visit("busy", { locale: "ko-KR" }, async ({ page, server }) => {
    await page.goto(server.url);
    await page.getByRole("heading", { name: ko["login.title"], exact: true }).waitFor();
    await expect.poll(() => page.locator("html").getAttribute("lang")).toBe("ko");
    await signIn(page, server.url);
    await page.getByRole("heading", { name: ko["nav.overview"] }).waitFor();
    await page.getByText(ko["overview.attention"]).waitFor();
    // The state is the same word in every language.
    await page.getByText("APPLYING").first().waitFor();
  });
});

test("a view of the servers is saved under a name, found again in a new page, and forgotten", async () => {
  await visit("busy", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, `${paths.servers()}?q=role%3Aweb&sort=-failure`);
    await page.getByRole("button", { name: "Views", exact: true }).click();
    await page.getByRole("menuitem", { name: "Save this view…" }).click();
    const save = page.getByRole("dialog").getByRole("button", { name: "Save" });
    await expect.poll(() => save.getAttribute("aria-disabled")).toBe("true");
    expect(await flawsOf(page)).toEqual([]);
    await page.getByLabel("Name of the view").fill("Web, newest failures");
    await save.click();
    await open(page, server, paths.servers());
    await page.getByRole("button", { name: "Views", exact: true }).click();
    await page.getByRole("menuitem", { name: "Web, newest failures" }).click();
    await expect.poll(() => page.url()).toContain("?q=role%3Aweb&sort=-failure");
    await expect.poll(() => page.getByLabel("Filter servers").inputValue()).toBe("role:web");
    await page.getByRole("button", { name: "Web, newest failures" }).click();
    expect(await flawsOf(page)).toEqual([]);
    await page.getByRole("menuitem", { name: "Forget “Web, newest failures”" }).click();
    await page.getByRole("button", { name: "Views", exact: true }).click();
    await expect.poll(() => page.getByRole("menuitem", { name: "Web, newest failures" }).count()).toBe(0);
  });
});

const button =
  (name: string | RegExp) =>
  async (page: Page): Promise<void> =>
    page.getByRole("button", { name }).first().click();
const first =
  (selector: string) =>
  async (page: Page): Promise<void> =>
    page.locator(selector).first().click();

/** Each dialog, by the page it belongs to and what opens it. */
const DIALOGS: readonly (readonly [string, (page: Page) => Promise<void>])[] = [
  [paths.overview(), button("I am at it")],
  [paths.servers(), button(/^Enroll/)],
  [paths.server("web-3"), button("Pause")],
  [paths.server("web-3"), button("Release")],
  [paths.server("db-2"), button("Unlock")],
  [paths.server("web-1", { tab: "live", domain: "vpn" }), button(/^Begin: /)],
  [paths.documents(), button("New document")],
  [paths.documents(), button("Connect two sites…")],
  [paths.documents(), button("Let people in…")],
  [paths.document("Policy", "monitoring"), button(/^Delete/)],
  [paths.tokens(), button("New token")],
  [paths.users(), button("New account")],
  [paths.user("sora"), first("main .pf-v6-c-card .hf-actions button.pf-m-primary")],
  [paths.user("jules"), first("#user-links button")],
  [paths.roles(), button("New role")],
  [paths.roles(), first("main td .hf-actions button")],
  [paths.secrets(), button("New secret")],
  [paths.secrets(), first("tr:has-text('tunnel.seoul-busan') button")],
  [paths.account(), first("main button")],
];

test("axe finds what it should", async () => {
  await visit("busy", {}, async ({ page }) => {
    await page.setContent(
      `<html lang="en"><title>x</title><main><h1>x</h1><img src="data:,"><p style="color:#ccc;background:#fff">pale</p><div style="width:3000px">wide</div></main>`,
    );
    const found = (await flawsOf(page)).join("\n");
    for (const flaw of [/^image-alt /m, /^color-contrast /m, /^\d+ px wider than the screen$/m])
      expect(found).toMatch(flaw);
  });
});

test("no finding of axe in any dialog", async () => {
  await visit("busy", {}, async ({ page, server }) => {
    server.setProvider("Company ID");
    await signIn(page, server.url);
    const found: string[] = [];
    for (const [path, act] of DIALOGS) {
      await open(page, server, path);
      await act(page);
      const dialog = page.getByRole("dialog");
      await dialog.waitFor();
      const title = (await dialog.getByRole("heading").first().textContent()) ?? path;
      found.push(...(await flawsOf(page, "[role=dialog]")).map((flaw) => `${title}: ${flaw}`));
    }
    // Of what is pending: reviewed or dropped, from any page.
    await open(page, server, paths.editDocument("Policy", "web-host", { view: "rules" }));
    await page.getByRole("button", { name: "Remove ssh" }).click();
    for (const name of ["Review…", "Discard"]) {
      await page.getByRole("region", { name: "Pending change" }).getByRole("button", { name, exact: true }).click();
      await page.getByRole("dialog").waitFor();
      found.push(...(await flawsOf(page, "[role=dialog]")).map((flaw) => `${name}: ${flaw}`));
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
    }
    expect(found).toEqual([]);
  });
}, 300_000);

test("a log that servers contradict is accepted by name and with a reason, and axe finds nothing in any of it", async () => {
  await visit("busy", {}, async ({ page, server }) => {
    server.setServersKnowMore(["web-1", "gw-seoul"]);
    await signIn(page, server.url);
    await open(page, server, paths.audit());
    await page.getByText("gw-seoul").first().waitFor();
    expect(await flawsOf(page)).toEqual([]);
    await page.getByRole("button", { name: en["audit.accept"] }).click();
    const dialog = page.getByRole("dialog");
    const accept = dialog.getByRole("button", { name: en["audit.accept"] });
    await expect.poll(() => accept.isDisabled()).toBe(true);
    expect(await flawsOf(page, "[role=dialog]")).toEqual([]);
    await dialog.getByLabel(en["dialog.reason"]).fill("the backup of Tuesday was put back");
    await expect.poll(() => accept.isDisabled()).toBe(true);
    await dialog.getByRole("textbox").last().fill(en["audit.accept.word"].replace("{{epoch}}", "2"));
    await accept.click();
    await dialog.waitFor({ state: "detached" });
    await expect.poll(() => page.getByRole("button", { name: en["audit.accept"] }).count()).toBe(0);
  });
});

test("every page explains itself to a keyboard, beside the page and not over a dialog", async () => {
  await visit("busy", { viewport: { width: 1400, height: 900 } }, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.server("web-2"));
    const help = page.getByRole("complementary", { name: en["help.title"] });
    await page.keyboard.press("F1");
    // It has the focus, so that a screen reader begins there.
    await help.getByText("One server: what it should have").waitFor();
    await expect.poll(() => page.evaluate("document.activeElement.textContent")).toBe(en["help.title"]);
    // What the states mean is said in the words of the page itself.
    await help.getByText(en["status.locked.why"]).waitFor();
    await help.getByText(en["help.serverIs.mixed"]).waitFor();
    expect(await flawsOf(page)).toEqual([]);
    // It goes along to other pages.
    await page.getByRole("link", { name: "Policies", exact: true }).click();
    await help.getByText("What servers should have").waitFor();
    await help.getByRole("button", { name: en["help.close"] }).click();
    await help.waitFor({ state: "detached" });
    const opener = page.getByRole("button", { name: en["help.open"] });
    const focused = (): Promise<unknown> => page.evaluate("document.activeElement.getAttribute('aria-label')");
    await expect.poll(focused).toBe(en["help.open"]);
    await expect.poll(() => opener.count()).toBe(1);
    await page.keyboard.press("Enter");
    await help.waitFor();
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    // A dialog is open: what lies behind it stays shut.
    await page.getByRole("button", { name: "New document" }).click();
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("F1");
    await expect.poll(() => help.count()).toBe(0);
  });
});

test.each([
  { scheme: "light", width: 1280, locale: "en" },
  { scheme: "dark", width: 390, locale: "en" },
  { scheme: "dark", width: 800, locale: "ko-KR" },
] as const)(
  "no finding of axe on any page ($scheme, $width px, $locale), and nothing is wider than the screen",
  async ({ scheme, width, locale }) => {
    const words = locale === "ko-KR" ? ko : en;
    await visit("busy", { colorScheme: scheme, locale, viewport: { width, height: 900 } }, async ({ page, server }) => {
      const found: string[] = [];
      const check = async (path: string, tab = page): Promise<void> => {
        // The colours of the dark are looked at in English.
        const flaws = await flawsOf(tab, null, locale === "ko-KR");
        found.push(...flaws.map((flaw) => `${path}: ${flaw}`));
      };
      await page.goto(server.url);
      await page.getByRole("heading", { name: words["login.title"], exact: true }).waitFor();
      await check("/login");
      await signIn(page, server.url);
      // Two at a time: axe keeps one processor busy.
      const left = [...PAGES];
      const walk = async (tab: Page): Promise<void> => {
        for (let path = left.shift(); path !== undefined; path = left.shift()) {
          await open(tab, server, path);
          await check(path, tab);
        }
      };
      await Promise.all([walk(page), walk(await page.context().newPage())]);
      await open(page, server, paths.failures());
      await page.getByRole("link", { name: "Only the application may reach PostgreSQL" }).first().click();
      await page.getByText(words["story.title"]).waitFor();
      await check("an apply");
      await page.getByRole("link", { name: words["apply.rollout"] }).click();
      await page.getByText(words["rollout.wave"].replace("{{wave}}", "1")).first().waitFor();
      await check("a rollout");
      await page.keyboard.press("F1");
      await page.getByRole("complementary", { name: words["help.title"] }).getByRole("term").first().waitFor();
      await check("help");
      expect(found).toEqual([]);
    });
  },
  300_000,
);
