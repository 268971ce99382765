/**
 * The console in a real browser against its mock API, with the control plane's own content security policy: what an operator does by hand,
 * and what must hold on every page.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import AxeBuilder from "@axe-core/playwright";
import { ko } from "@holdfast/console/i18n/ko.ts";
import type { Scenario } from "@holdfast/console/mock-api/seed.ts";
import { paths } from "@holdfast/console/paths.ts";
import { REPOSITORY_ROOT } from "@holdfast/testkit/repository.ts";
import type { BrowserContextOptions, Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { withBrowser } from "./browser.ts";
import { type MockServer, startMockServer } from "./mock-server.ts";
import { signIn } from "./steps.ts";

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
  paths.notifications(),
  paths.doctor(),
];

/** A page that needs longer than this on a busy machine is broken. */
const WAIT_MS = 12_000;

interface Visit {
  readonly page: Page;
  readonly server: MockServer;
  /** What the browser complained about: refused styles and scripts, exceptions. */
  readonly complaints: readonly string[];
}

async function visit(
  scenario: Scenario,
  options: BrowserContextOptions,
  run: (visit: Visit) => Promise<void>,
): Promise<void> {
  const server = await startMockServer(scenario);
  try {
    await withBrowser({ viewport: { width: 1280, height: 900 }, locale: "en", ...options }, async (context) => {
      const page = await context.newPage();
      page.setDefaultTimeout(WAIT_MS);
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error" && !message.text().includes("Failed to load resource"))
          complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(error.message));
      await run({ page, server, complaints });
      expect(complaints).toEqual([]);
    });
  } finally {
    await server.close();
  }
}

const open = async (page: Page, server: MockServer, path: string): Promise<void> => {
  await page.goto(`${server.url}${path}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  // The stream of events never lets the network be idle: done is when nothing waits any more.
  await expect.poll(() => page.locator(".pf-v6-c-spinner").count(), { timeout: WAIT_MS }).toBe(0);
};

beforeAll(() => {
  const built = spawnSync(join(REPOSITORY_ROOT, "deploy/dev/build-console.sh"), { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`the console could not be built:\n${built.stderr}`);
});

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
    expect(await page.getByText("web-1").count()).toBe(0);
    await page.getByLabel("User").fill("admin");
    await page.getByLabel("Password").fill("wrong");
    await page.keyboard.press("Enter");
    await page.getByText("User or password is wrong").waitFor();
    expect(await page.getByLabel("User").inputValue()).toBe("admin");
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

test("edit in the table, see it in the text, review, tick the danger, type the servers, apply and watch it end", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.editDocument("Policy", "web-host", { view: "rules" }));
    await page.getByRole("button", { name: "Remove ssh" }).click();
    await page.getByRole("button", { name: "Difference" }).click();
    await page.getByText("-      - name: ssh").waitFor();
    await page.getByRole("button", { name: "Review…" }).click();
    await page.getByLabel("Title of the change").fill("SSH only over the floor");
    await page.getByRole("button", { name: "Ask the servers" }).click();
    await page.getByRole("heading", { name: "What it would do, server by server" }).waitFor();

    const apply = page.getByRole("button", { name: /^Apply to 3 servers/ });
    expect(await apply.getAttribute("aria-disabled")).toBe("true");
    await page.getByText("3 dangerous findings are not ticked yet.").last().waitFor();
    for (const box of await page.getByLabel("I have read this and want it all the same").all()) await box.check();
    await page.getByLabel("Type 3 servers to go on").fill("3 servers");
    expect(await apply.getAttribute("aria-disabled")).toBeNull();
    await apply.click();

    await page.getByText("Canary").waitFor();
    await page.getByText("The server undoes by itself in").first().waitFor();
    await page.getByText("Ended: 3 of 3 servers as asked.").waitFor({ timeout: 30_000 });
    await page.getByText("Applied and confirmed").first().waitFor();
    expect(await page.getByText("pending edit").count()).toBe(0);
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
    expect(await confirm.getAttribute("aria-disabled")).toBe("true");
    expect(await confirm.textContent()).toContain("The apply has ended.");
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
    expect(await dialog.getByRole("button", { name: "Abort and undo" }).isDisabled()).toBe(true);
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

test("findings come while typing, where they stand, and completion knows the language", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.editDocument("Policy", "web-host", { view: "text" }));
    await page.getByRole("textbox", { name: "Text of web-host" }).click();
    await page.keyboard.press("Control+Home");
    for (let line = 0; line < 10; line += 1) await page.keyboard.press("ArrowDown");
    await page.keyboard.press("End");
    await page.keyboard.insertText("\n  mod: enforce");
    await page.getByRole("complementary").getByText("firewall.mod", { exact: false }).first().waitFor();
    await page.keyboard.press("Control+z");
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await page.keyboard.type("forw");
    await page.locator(".cm-tooltip-autocomplete").getByText("forward", { exact: true }).waitFor();
  });
});

test("rules are moved and switched by keyboard alone", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.editDocument("Policy", "web-host", { view: "rules" }));
    const names = async (): Promise<readonly string[]> =>
      Promise.all((await page.getByLabel(/^Name of/).all()).map((input) => input.inputValue()));
    expect((await names()).slice(0, 2)).toEqual(["web", "ssh"]);
    await page.getByRole("button", { name: "Move ssh up" }).focus();
    await page.keyboard.press("Alt+ArrowUp");
    await page.getByText("Moved ssh to place 1.").waitFor({ state: "attached" });
    expect((await names()).slice(0, 2)).toEqual(["ssh", "web"]);
    await page.keyboard.press("Alt+ArrowDown");
    await page.getByText("Moved ssh to place 2.").waitFor({ state: "attached" });
    await page.getByLabel("ping is on").focus();
    await page.keyboard.press("Space");
    await page.getByText("1 pending edit").waitFor();
  });
});

test("an observing firewall: what it would have dropped is decided one by one, then it enforces in the pending change", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.server("mon-1", { tab: "observe" }));
    await page.getByRole("row").filter({ hasText: "telnet" }).getByText("reject").waitFor();
    const enforce = page.getByRole("button", { name: /^Enforce/ });
    expect(await enforce.getAttribute("aria-disabled")).toBe("true");
    await page.getByText("3 groups are not decided yet.").last().waitFor();
    for (const box of await page.getByRole("checkbox", { name: /^Drop it indeed/ }).all()) await box.check();
    expect(await enforce.getAttribute("aria-disabled")).toBeNull();
    await enforce.click();
    await page.getByText("-  mode: observe").waitFor();
    // What stands behind it in the line stays.
    await page.getByText("+  mode: enforce").waitFor();
    await page.getByText("1 pending edit").waitFor();
  });
});

test("a form of the network agrees with the text: it keeps comments, shows findings at the field, and the text shows in it", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.editDocument("Policy", "office-net", { view: "network" }));
    await page.getByLabel("mtu", { exact: true }).fill("1400");
    await page.keyboard.press("Enter");
    await page.getByLabel("addresses", { exact: true }).first().fill("203.0.113.10");
    await page.keyboard.press("Enter");
    await page.locator(".hf-form").getByText("203.0.113.10", { exact: false }).first().waitFor();
    await page.locator(".hf-form .hf-finding").first().waitFor();
    await page.getByLabel("addresses", { exact: true }).first().fill("203.0.113.11/26");
    await page.keyboard.press("Enter");
    await page.getByLabel("Add to network.interfaces.wan", { exact: true }).selectOption("dns");
    await page.locator(".hf-form-add").getByLabel("dns", { exact: true }).first().fill("9.9.9.9, 149.112.112.112");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Difference" }).click();
    await page.getByText("+      mtu: 1400").waitFor();
    await page.getByText("# the cable to the provider").waitFor();
    await page.getByText("203.0.113.11/26").first().waitFor();
    await page.getByText("149.112.112.112").first().waitFor();
  });
});

test("two sites are connected: one document of both ends, its findings while typing, a sheet for an end that is not ours", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.documents());
    await page.getByRole("button", { name: "Connect two sites…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name of the tunnel").fill("seoul-acme");
    const [one, other] = [
      dialog.getByRole("group", { name: "One end" }),
      dialog.getByRole("group", { name: "The other end" }),
    ];
    await one.getByLabel("Server").selectOption("gw-seoul");
    await one.getByLabel("Address").fill("203.0.113.10");
    await one.getByLabel("Networks").fill("10.10.0.0/16");
    await other.getByLabel("Server").selectOption({ label: "Somebody else’s" });
    await other.getByLabel("Address").fill("192.0.2.44");
    await other.getByLabel("Networks").fill("10.10.5.0/24");
    const put = dialog.getByRole("button", { name: /^Put into the pending change/ });
    // Both ends would have the same network, and nobody has said who the other one is.
    await dialog.locator(".hf-finding").first().waitFor();
    expect(await put.getAttribute("aria-disabled")).toBe("true");
    await other.getByLabel("Networks").fill("172.16.8.0/24");
    await other.getByLabel("Identity").fill("vpn.acme.example");
    await dialog.getByText("Sheet for the administrator of there").click();
    await dialog.getByText("aes256gcm16-prfsha384-ecp384").waitFor();
    await expect.poll(() => put.getAttribute("aria-disabled"), { timeout: WAIT_MS }).toBeNull();
    const { violations } = await new AxeBuilder({ page }).include("[role=dialog]").analyze();
    expect(violations.filter(({ impact }) => impact === "serious" || impact === "critical")).toEqual([]);
    await put.click();
    await page.getByRole("heading", { level: 1, name: /seoul-acme/ }).waitFor();
    await page.getByLabel("clearText", { exact: true }).waitFor();
    await page.getByText("1 pending edit").waitFor();
  });
});

test("another author's revision in between is shown, and nothing is merged behind anybody's back", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await page.evaluate(([key, value]) => localStorage.setItem(key, value), [
      "holdfast.pending.admin",
      JSON.stringify({
        title: "",
        reason: "",
        changeId: null,
        edits: [
          {
            kind: "Group",
            name: "partner-networks",
            text: "apiVersion: holdfast/v1\nkind: Group\nname: partner-networks\naddresses: []\n",
            baseRevision: 5,
            baseText: "old",
          },
        ],
      }),
    ] as const);
    await page.reload();
    await page.getByRole("button", { name: "Review…" }).click();
    await page.getByRole("button", { name: "Ask the servers" }).click();
    await page.getByText("change.base_moved").waitFor();
    await page.getByText("A document has moved. See what moved and decide:").waitFor();
  });
});

test("a viewer sees everything and can press nothing; each button says why", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url, "viewer", "only looking on");
    await open(page, server, paths.servers());
    const enrol = page.getByRole("button", { name: /^Enroll a server/ });
    expect(await enrol.getAttribute("aria-disabled")).toBe("true");
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
    expect(await approve.getAttribute("aria-disabled")).toBe("true");
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
    expect(await page.getByRole("row").count()).toBeLessThan(80);
    await page.getByLabel("Filter servers").fill("node-04242");
    await page.getByText("1 of 10000").waitFor();
    expect(page.url()).toContain("q=node-04242");
    await page.getByRole("link", { name: "node-04242" }).waitFor();
  });
});

test("Korean from the first page to the last word of a state", async () => {
  await visit("busy", { locale: "ko-KR" }, async ({ page, server }) => {
    await page.goto(server.url);
    await page.getByRole("heading", { name: ko["login.title"], exact: true }).waitFor();
    expect(await page.locator("html").getAttribute("lang")).toBe("ko");
    await signIn(page, server.url);
    await page.getByRole("heading", { name: ko["nav.overview"] }).waitFor();
    await page.getByText(ko["overview.attention"]).waitFor();
    // The state is the same word in every language.
    await page.getByText("APPLYING").first().waitFor();
  });
});

test.each([
  { scheme: "light", width: 1280 },
  { scheme: "dark", width: 390 },
] as const)(
  "no serious finding of axe on any page ($scheme, $width px), and nothing is wider than the screen",
  async ({ scheme, width }) => {
    await visit("busy", { colorScheme: scheme, viewport: { width, height: 900 } }, async ({ page, server }) => {
      const found: string[] = [];
      const check = async (path: string): Promise<void> => {
        const { violations } = await new AxeBuilder({ page }).analyze();
        for (const { id, impact, nodes } of violations)
          if (impact === "serious" || impact === "critical")
            found.push(
              `${path}: ${id} ${nodes[0]?.html.slice(0, 160) ?? ""} ${nodes[0]?.failureSummary?.split("\n")[1] ?? ""}`,
            );
        const overflow = await page.evaluate<number>(
          "document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        if (overflow > 0) found.push(`${path}: ${overflow} px wider than the screen`);
      };
      await page.goto(server.url);
      await page.getByRole("heading", { name: "Sign in", exact: true }).waitFor();
      await check("/login");
      await signIn(page, server.url);
      for (const path of PAGES) {
        await open(page, server, path);
        await check(path);
      }
      await open(page, server, paths.failures());
      await page.getByRole("link", { name: "Only the application may reach PostgreSQL" }).first().click();
      await page.getByText("The story").waitFor();
      await check("an apply");
      await page.getByRole("link", { name: "The whole rollout" }).click();
      await page.getByText("Wave 1").first().waitFor();
      await check("a rollout");
      expect(found).toEqual([]);
    });
  },
  300_000,
);
