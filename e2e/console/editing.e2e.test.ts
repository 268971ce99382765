/** The console in a real browser against its mock API: what people write, and that none of it is lost or becomes something else. */
import { paths } from "@holdfast/console/paths.ts";
import type { Page } from "playwright-core";
import { beforeAll, expect, test } from "vitest";
import { flawsOf } from "./flaws.ts";
import { largePolicy } from "./large-policy.ts";
import { signIn } from "./steps.ts";
import { buildConsole, open, visit, WAIT_MS } from "./visit.ts";

beforeAll(buildConsole);

/** As the browser keeps it. */
interface PendingEdit {
  readonly kind: string;
  readonly name: string;
  readonly text: string;
  readonly baseRevision: number;
  readonly baseText: string | null;
}

/** As if it had been written before in this browser. */
async function keep(page: Page, ...edits: readonly PendingEdit[]): Promise<void> {
  await page.evaluate(([key, value]) => localStorage.setItem(key, value), [
    "holdfast.pending.admin",
    JSON.stringify({ title: "", reason: "", changeId: null, edits }),
  ] as const);
  await page.reload();
  await page.getByRole("region", { name: "Pending change" }).waitFor();
}

const edited = (page: Page): Promise<string> =>
  page.evaluate<string>("JSON.parse(localStorage.getItem('holdfast.pending.admin')).edits[0].text");

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
    await expect.poll(() => apply.getAttribute("aria-disabled")).toBe("true");
    await page.getByText("3 dangerous findings are not ticked yet.").last().waitFor();
    for (const box of await page.getByLabel("I have read this and want it all the same").all()) await box.check();
    await page.getByLabel("Type 3 servers to go on").fill("3 servers");
    await expect.poll(() => apply.getAttribute("aria-disabled")).toBeNull();
    await apply.click();

    await page.getByText("Canary").waitFor();
    await page.getByText("The server undoes by itself in").first().waitFor();
    await page.getByText("Ended: 3 of 3 servers as asked.").waitFor({ timeout: 30_000 });
    await page.getByText("Applied and confirmed").first().waitFor();
    await expect.poll(() => page.getByText("pending edit").count()).toBe(0);
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
    await page.getByText("Moved ssh to place 1.", { exact: true }).waitFor({ state: "attached" });
    expect((await names()).slice(0, 2)).toEqual(["ssh", "web"]);
    await page.keyboard.press("Alt+ArrowDown");
    await page.getByText("Moved ssh to place 2.", { exact: true }).waitFor({ state: "attached" });
    await page.getByLabel("ping is on").focus();
    await page.keyboard.press("Space");
    await page.getByText("1 pending edit").waitFor();
  });
});

for (const [screen, viewport] of [
  ["wide and low", { width: 1280, height: 600 }],
  ["narrow", { width: 390, height: 700 }],
  ["magnified", { width: 390, height: 320 }],
] as const)
  test(`by keyboard through the rules, with an edit pending, nothing lies over what has the focus: ${screen}`, async () => {
    await visit("calm", { viewport }, async ({ page, server }) => {
      await signIn(page, server.url);
      await open(page, server, paths.editDocument("Policy", "web-host", { view: "rules" }));
      await page.getByRole("button", { name: "Remove ssh" }).click();
      await page.getByText("1 pending edit").waitFor();
      await page.locator("#main").focus();
      const [reached, covered] = [new Set<string>(), new Set<string>()];
      for (let press = 0; press < 70; press += 1) {
        await page.keyboard.press("Tab");
        const { name, isSeen } = await page.evaluate<Focused>(FOCUSED);
        reached.add(name);
        if (!isSeen) covered.add(name);
      }
      expect([...covered]).toEqual([]);
      expect([...reached]).toEqual(expect.arrayContaining(["Name of web", "Name of ping", "Review…"]));
    });
  });

interface Focused {
  readonly name: string;
  readonly isSeen: boolean;
}

/** In the page: what has the focus, and whether its middle can be seen. */
const FOCUSED = `(() => {
  const element = document.activeElement;
  if (element === null || element === document.body) return { name: "the page", isSeen: true };
  const { left, top, width, height } = element.getBoundingClientRect();
  const hit = document.elementFromPoint(left + width / 2, top + height / 2);
  const label = element.closest("label") ?? element;
  return {
    name: element.getAttribute("aria-label") ?? element.textContent,
    isSeen: hit !== null && (label.contains(hit) || hit.contains(element)),
  };
})()`;

test("rules are dragged, placed by number, copied, switched together, and taken back", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.editDocument("Policy", "web-host", { view: "rules" }));
    const names = async (): Promise<readonly string[]> =>
      Promise.all((await page.getByLabel(/^Name of/).all()).map((input) => input.inputValue()));
    const row = (name: string) => page.locator("[data-rule]").filter({ has: page.getByLabel(`Name of ${name}`) });
    await row("ping").locator(".hf-rule-grip").hover();
    await page.mouse.down();
    const target = await row("web").boundingBox();
    if (target === null) throw new Error("the first rule is not on the page");
    await page.mouse.move(target.x + 60, target.y + 30);
    await page.mouse.move(target.x + 60, target.y + 4);
    await page.locator('[data-drop="above"]').waitFor();
    await page.mouse.up();
    await expect.poll(names).toEqual(["ping", "web", "ssh", "metrics", "partner-debug"]);
    await page.getByLabel("Place of ssh").fill("9");
    await page.keyboard.press("Enter");
    await page.getByText("A place is a number from 1 to 5.").waitFor();
    await page.getByLabel("Place of ssh").fill("1");
    await page.keyboard.press("Enter");
    await expect.poll(names).toEqual(["ssh", "ping", "web", "metrics", "partner-debug"]);
    await page.getByRole("button", { name: "Copy web" }).click();
    await expect.poll(names).toEqual(["ssh", "ping", "web", "web-copy", "metrics", "partner-debug"]);
    expect(await edited(page)).toContain("# operators only\n      - name: ssh");

    await page.getByLabel("Choose all 6 shown").check();
    await page.getByText("6 chosen:").waitFor();
    expect(await flawsOf(page)).toEqual([]);
    await page.getByRole("button", { name: "Turn off", exact: true }).click();
    await expect.poll(async () => (await edited(page)).match(/enabled: false/g)?.length).toBe(6);
    await page.getByRole("button", { name: "Take back: Turned off 6 rules." }).click();
    await expect.poll(async () => (await edited(page)).match(/enabled: false/g)?.length).toBe(1);
    for (let step = 0; step < 3; step += 1) await page.getByRole("button", { name: /^Take back:/ }).click();
    // Nothing is left of it: an edit that came back is no edit.
    await expect.poll(() => page.getByRole("region", { name: "Pending change" }).count()).toBe(0);
  });
});

test("what a name holds is edited below the rule that uses it: in the policy, or in the Group that others share", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.editDocument("Policy", "web-host", { view: "rules" }));
    await page.getByRole("button", { name: "What office holds, from ssh" }).click();
    await page.getByLabel("What office holds", { exact: true }).fill("203.0.113.0/27");
    await page.keyboard.press("Enter");
    await expect.poll(() => edited(page)).toContain("office: 203.0.113.0/27");
    await page.getByLabel("From of web", { exact: true }).fill("partner-networks");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "What partner-networks holds, from web" }).click();
    await page.getByLabel("addresses of partner-networks").fill("198.51.100.0/25");
    await page.keyboard.press("Enter");
    await page.getByText("2 pending edits").waitFor();
    await page.getByText("Shared: every policy that names it changes with it.", { exact: false }).waitFor();
    await page.getByRole("link", { name: "Group/partner-networks" }).click();
    await page.getByRole("textbox", { name: "Text of partner-networks" }).getByText("198.51.100.0/25").waitFor();
  });
});

test("ten thousand rules: they are read beside the page, few rows exist, and one is edited and found", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await keep(page, {
      kind: "Policy",
      name: "large",
      text: largePolicy(10_000),
      baseRevision: 0,
      baseText: null,
    });
    await page.goto(`${server.url}${paths.editDocument("Policy", "large", { view: "rules" })}`);
    await page.getByLabel("Choose all 10000 shown").waitFor({ timeout: 60_000 });
    await expect.poll(() => page.locator("[data-rule]").count()).toBeLessThan(80);
    await page.getByLabel("Filter rules").fill("rule-7777");
    await page.getByLabel("Why of rule-7777").fill("OPS-7");
    await page.keyboard.press("Enter");
    await expect.poll(() => edited(page)).toContain("10.30.97.0/24\n        why: OPS-7\n      - name: rule-7778");
    await page.getByLabel("Place of rule-7777").fill("1");
    await page.keyboard.press("Enter");
    await page.getByLabel("Filter rules").fill("");
    await expect
      .poll(() =>
        page
          .getByLabel(/^Name of/)
          .first()
          .inputValue(),
      )
      .toBe("rule-7777");
  });
});

test("an observing firewall: what it would have dropped is decided one by one, then it enforces in the pending change", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.server("mon-1", { tab: "observe" }));
    await page.getByRole("row").filter({ hasText: "telnet" }).getByText("reject").waitFor();
    const enforce = page.getByRole("button", { name: /^Enforce/ });
    await expect.poll(() => enforce.getAttribute("aria-disabled")).toBe("true");
    await page.getByText("3 groups are not decided yet.").last().waitFor();
    for (const box of await page.getByRole("checkbox", { name: /^Drop it indeed/ }).all()) await box.check();
    await expect.poll(() => enforce.getAttribute("aria-disabled")).toBeNull();
    await enforce.click();
    const added = page.locator(".hf-diff-add");
    await added.first().waitFor();
    // What stands behind it in the line stays.
    expect(
      (await added.allTextContents()).filter((line) => line.includes("mode:")).map((line) => line.trimEnd()),
    ).toEqual(["+  mode: enforce                    # since Monday; enforce when nothing is dropped that is needed"]);
    await expect.poll(() => page.locator(".hf-diff-remove").count()).toBe(1);
    await page.getByText("1 pending edit").waitFor();
  });
});

test("packets are looked at when somebody asks, filtered while they come, and one becomes a rule of the pending change", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.server("web-1", { tab: "packets" }));
    await expect.poll(() => page.getByRole("table").count(), { message: "nobody has asked to look" }).toBe(0);
    await page.getByRole("button", { name: "Look at packets" }).click();
    const rows = page.getByRole("table", { name: "Packets, the newest first" }).getByRole("row");
    await rows.filter({ hasText: "OPS-812" }).waitFor();
    const button = (text: string) => rows.filter({ hasText: text }).getByRole("button", { name: /^Allow this/ });
    await expect.poll(() => button("OPS-812").count(), { message: "it passes already" }).toBe(0);
    await expect.poll(() => button("ip docker").getAttribute("aria-disabled")).toBe("true");
    await expect.poll(() => button("locked.invalid").getAttribute("aria-disabled")).toBe("true");
    expect(await flawsOf(page)).toEqual([]);
    await page.getByLabel("Filter packets").fill("dropped 8080");
    await expect.poll(() => rows.count()).toBe(2);
    await expect.poll(() => page.url()).toContain("q=dropped");
    await button("8080").click();
    await page.getByText("1 pending edit").waitFor();
    await page.getByRole("link", { name: "See the difference" }).click();
    const added = page.locator(".hf-diff-add");
    await added.filter({ hasText: "203.0.113.12" }).first().waitFor();
    await expect.poll(() => page.locator(".hf-diff-remove").count()).toBe(0);
  });
});

test("a stream of packets that is cut says so, and what was seen stays", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.server("web-1", { tab: "packets" }));
    await page.getByRole("button", { name: "Look at packets" }).click();
    await page.getByText("OPS-812").waitFor();
    server.setStream(false);
    await page.getByText("The packets cannot be looked at").waitFor();
    await page.getByText("OPS-812").waitFor();
    server.setStream(true);
    await page.getByRole("button", { name: "Look at packets" }).click();
    await page.getByText(/^Looking: 16 of 16/).waitFor();
  });
});

test("tools: what is missing is said before, a run is followed, ended and saved, and a mistake cannot be pressed", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.server("web-1", { tab: "tools" }));
    const run = page.getByRole("button", { name: /^Run/ });
    await page.getByText("install the package iputils-tracepath").waitFor();
    await expect.poll(() => run.getAttribute("aria-disabled"), { message: "no host yet" }).toBe("true");
    await page.getByLabel("Address or name").fill("-f");
    await expect.poll(() => run.getAttribute("aria-disabled")).toBe("true");
    await page.getByLabel("Address or name").fill("192.0.2.53");
    await expect.poll(() => page.url()).toContain("q=192.0.2.53");
    await run.click();
    await page.getByText("25% packet loss").waitFor();
    await page.getByText("Ended: all of it is here.").waitFor();
    expect(await flawsOf(page)).toEqual([]);
    await page.getByLabel("Address or name").fill("silent.example");
    await run.click();
    await page.getByText("no answer yet for icmp_seq=1").waitFor();
    await page.getByRole("button", { name: "Stop" }).click();
    await page.getByText("Ended before its time.").waitFor();
    await run.click();
    await page.getByText("no answer yet for icmp_seq=1").waitFor();
    server.setStream(false);
    await page.getByText("It could not be run").waitFor();
    server.setStream(true);

    await page.getByLabel("Tool", { exact: true }).selectOption("trace");
    await expect.poll(() => run.getAttribute("aria-disabled")).toBe("true");
    await page.getByLabel("Tool", { exact: true }).selectOption("capture");
    await page.getByLabel("Protocol").selectOption("icmp");
    await page.getByLabel("Port, at either end").fill("443");
    await expect.poll(() => run.getAttribute("aria-disabled"), { message: "icmp has no ports" }).toBe("true");
    await page.getByLabel("Protocol").selectOption("tcp");
    await run.click();
    const rows = page.getByRole("table", { name: "Captured packets, the newest first" }).getByRole("row");
    await rows.filter({ hasText: "SYN ACK" }).waitFor();
    await expect.poll(() => rows.count()).toBe(4);
    expect(await flawsOf(page)).toEqual([]);
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save as a pcap file" }).click();
    expect((await saved).suggestedFilename()).toBe("web-1.pcap");
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
    await expect.poll(() => put.getAttribute("aria-disabled")).toBe("true");
    await other.getByLabel("Networks").fill("172.16.8.0/24");
    await other.getByLabel("Identity").fill("vpn.acme.example");
    await dialog.getByText("Sheet for the administrator of there").click();
    await dialog.getByText("aes256gcm16-prfsha384-ecp384").waitFor();
    await expect.poll(() => put.getAttribute("aria-disabled"), { timeout: WAIT_MS }).toBeNull();
    // By certificates theirs is asked for; a private key that was taken for it leaves the page in no request.
    const sent: string[] = [];
    page.on("request", (request) => sent.push(request.postData() ?? ""));
    const proof = dialog.getByLabel("They prove themselves");
    await proof.selectOption({ label: "by certificates that Holdfast issues" });
    await other.getByLabel("Certificate", { exact: true }).fill("-----BEGIN PRIVATE KEY-----\nY2FuYXJ5");
    await dialog.getByText("it was sent nowhere").first().waitFor();
    await dialog.locator(".hf-finding").first().waitFor();
    await expect.poll(() => put.getAttribute("aria-disabled")).toBe("true");
    expect(await flawsOf(page, "[role=dialog]")).toEqual([]);
    await proof.selectOption({ label: "by a key that both have" });
    await expect.poll(() => put.getAttribute("aria-disabled"), { timeout: WAIT_MS }).toBeNull();
    expect(sent.join()).toContain("seoul-acme");
    expect(sent.join()).not.toContain("Y2FuYXJ5");
    await put.click();
    await page.getByRole("heading", { level: 1, name: /seoul-acme/ }).waitFor();
    await page.getByLabel("clearText", { exact: true }).waitFor();
    await page.getByText("1 pending edit").waitFor();
  });
});

test("people are let in: each with a key of their own, what is missing named, and a sheet for each that has no key", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.documents());
    await page.getByRole("button", { name: "Let people in…" }).click();
    const dialog = page.getByRole("dialog");
    const put = dialog.getByRole("button", { name: /^Put into the pending change/ });
    await expect.poll(() => put.getAttribute("aria-disabled")).toBe("true");
    await dialog.getByLabel("Name of the tunnel").fill("field-staff");
    await dialog.getByLabel("Server they call").selectOption("gw-seoul");
    await dialog.getByLabel("Address that devices call").fill("203.0.113.10");
    await dialog.getByLabel("What goes into the tunnel").fill("10.10.0.0/16");
    await dialog.getByLabel("Addresses they are given").fill("10.99.0.0/24");
    await dialog.getByLabel("Name", { exact: true }).fill("alice");
    await dialog.getByLabel("Identity").fill("alice@example.com");
    await dialog.getByRole("button", { name: "Another person" }).click();
    const bob = dialog.getByRole("group", { name: "Person 2" });
    await bob.getByLabel("Name", { exact: true }).fill("bob");
    // One that is called as another could not be told from them.
    await dialog.getByRole("group", { name: "bob" }).getByLabel("Identity").fill("alice@example.com");
    await dialog.locator(".hf-finding").first().waitFor();
    await expect.poll(() => put.getAttribute("aria-disabled")).toBe("true");
    await dialog.getByRole("group", { name: "bob" }).getByLabel("Identity").fill("bob@example.com");
    await dialog.getByText("Not in the store of secrets yet: vpn-alice, vpn-bob.").waitFor();
    await dialog.getByText("Sheet for bob").click();
    await dialog
      .getByRole("definition")
      .filter({ hasText: /^bob@example.com$/ })
      .waitFor();
    await expect.poll(() => put.getAttribute("aria-disabled"), { timeout: WAIT_MS }).toBeNull();
    expect(await flawsOf(page, "[role=dialog]")).toEqual([]);
    await dialog.getByRole("button", { name: "Take out: bob" }).click();
    await expect.poll(() => dialog.getByText("Sheet for bob").count()).toBe(0);
    await expect.poll(() => put.getAttribute("aria-disabled"), { timeout: WAIT_MS }).toBeNull();
    await put.click();
    await page.getByRole("heading", { level: 1, name: /field-staff/ }).waitFor();
    await page.getByText("1 pending edit").waitFor();

    // A certificate in place of the password, for what the device has asked for.
    await page.getByRole("button", { name: "Certify a person…" }).click();
    const certify = page.getByRole("dialog");
    const issue = certify.getByRole("button", { name: /^Issue the certificate/ });
    await certify.getByLabel("Person").fill("alice");
    await expect.poll(() => certify.getByLabel("Mail address").inputValue()).toBe("alice@example.com");
    await certify.getByLabel("Request of their device").fill(pemOf("CERTIFICATE REQUEST", "GOOD"));
    await certify.getByText("EC P-384").waitFor();
    await expect.poll(() => issue.getAttribute("aria-disabled")).toBeNull();
    await issue.click();
    await page.getByRole("dialog", { name: "A certificate for alice" }).waitFor();
    await page.getByRole("button", { name: "See the change" }).click();
    await page
      .getByText(/certificate: /)
      .first()
      .waitFor();
    expect(await page.getByText("secret:vpn-alice").count()).toBe(0);
  });
});

/** In the form of what is called so; what the mock says of a request stands in it. */
const pemOf = (kind: string, word: string): string =>
  `-----BEGIN ${kind}-----\nMII${word}${"B".repeat(93)}\n-----END ${kind}-----\n`;

test("people are let in by certificates: what a request says before anything is issued, a key that is pasted goes nowhere, one is renewed and one revoked", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    const sent: string[] = [];
    page.on("request", (request) => sent.push(`${request.url()} ${request.postData() ?? ""}`));
    const issued = (): number => sent.filter((one) => /\/tunnel-certificates .*"identity"/.test(one)).length;
    await signIn(page, server.url);
    await open(page, server, paths.documents());
    await page.getByRole("button", { name: "Let people in…" }).click();
    const dialog = page.getByRole("dialog");
    const issue = dialog.getByRole("button", { name: /^Issue and put into the pending change/ });
    await dialog
      .getByLabel("How they show who they are")
      .selectOption({ label: "Certificate, for a key that stays on the device" });
    await dialog.getByLabel("Name of the tunnel").fill("field-staff");
    await dialog.getByLabel("Server they call").selectOption("gw-seoul");
    await dialog.getByLabel("Address that devices call").fill("203.0.113.10");
    await dialog.getByLabel("What goes into the tunnel").fill("10.10.0.0/16");
    await dialog.getByLabel("Addresses they are given").fill("10.99.0.0/24");
    await dialog.getByLabel("Name", { exact: true }).fill("alice");
    await dialog.getByLabel("Mail address").fill("alice@example.com");
    await dialog.getByText("How the device makes it").click();
    await dialog.getByText("-keyout alice.key -subj /CN=alice@example.com -out alice.csr").waitFor();
    const request = dialog.getByLabel("Request of their device");
    // What was pasted by mistake stands nowhere any more, and what is right takes the words about it away.
    await request.fill(pemOf("EC PRIVATE KEY", "SPILT"));
    await dialog.getByText(/counts as spilt/).waitFor();
    expect(await request.inputValue()).toBe("");
    for (const [text, words] of [
      ["hello", "This is no request."],
      [pemOf("CERTIFICATE", "GOOD"), "This is a certificate."],
      [pemOf("CERTIFICATE REQUEST", "GOOD").repeat(2), "several blocks"],
      [pemOf("CERTIFICATE REQUEST", "WEAK"), "less than 2048 bits"],
      [pemOf("CERTIFICATE REQUEST", "FAKE"), "not that of the request's own key"],
      [pemOf("CERTIFICATE REQUEST", "DANA"), "that of dana of remote-staff"],
    ] as const) {
      await request.fill(text);
      await dialog.getByText(words).waitFor();
      expect(await request.getAttribute("aria-invalid"), words).toBe("true");
      await expect.poll(() => issue.getAttribute("aria-disabled")).toBe("true");
    }
    expect(await flawsOf(page, "[role=dialog]")).toEqual([]);
    await request.fill(pemOf("CERTIFICATE REQUEST", "GOOD"));
    await dialog.getByText("CN=laptop-17").waitFor();
    await dialog.getByText("email:alice@example.com").waitFor();
    await expect.poll(() => issue.getAttribute("aria-disabled"), { timeout: WAIT_MS }).toBeNull();
    expect(issued()).toBe(0);
    await issue.click();
    const done = page.getByRole("dialog", { name: "A certificate for alice" });
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      done.getByRole("button", { name: "Save alice-field-staff.crt" }).click(),
    ]);
    expect(file.suggestedFilename()).toBe("alice-field-staff.crt");
    await done.getByRole("button", { name: "Save holdfast-authority.crt" }).waitFor();
    expect(await flawsOf(page, "[role=dialog]")).toEqual([]);
    expect(issued()).toBe(1);
    await page.getByRole("button", { name: "See the change" }).click();
    await page.getByText("BEGIN CERTIFICATE").first().waitFor();
    expect(sent.join()).not.toContain("SPILT");
    expect(await page.evaluate<string>("JSON.stringify(localStorage)")).not.toContain("SPILT");

    // Later, on the page of a tunnel.
    await open(page, server, paths.document("Tunnel", "remote-staff"));
    await page.getByText("ends in 12 days").waitFor();
    expect(await flawsOf(page)).toEqual([]);
    const press = async (name: string): Promise<void> => {
      await page.getByRole("button", { name }).focus();
      await page.keyboard.press("Enter");
    };
    await press("Renew… dana");
    expect(await page.getByRole("dialog").getByLabel("Mail address").inputValue()).toBe("dana@example.com");
    await page.getByRole("dialog").getByLabel("Request of their device").fill(pemOf("CERTIFICATE REQUEST", "DANA"));
    await page.getByText("The same key as that of their certificate of now.").waitFor();
    await page.keyboard.press("Escape");
    await press("Revoke… min-ji");
    await page.getByRole("dialog").getByRole("textbox").fill("lost the notebook");
    await page.keyboard.press("Enter");
    await page.getByText("lost the notebook").waitFor();
    await page.getByRole("button", { name: "Let in again… min-ji" }).waitFor();
    await page.getByText("2 pending edits").waitFor();
  });
});

test("another author's revision in between is shown, and nothing is merged behind anybody's back", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await keep(page, {
      kind: "Group",
      name: "partner-networks",
      text: "apiVersion: holdfast/v1\nkind: Group\nname: partner-networks\naddresses: []\n",
      baseRevision: 5,
      baseText: "old",
    });
    await page.getByRole("button", { name: "Review…" }).click();
    await page.getByRole("button", { name: "Ask the servers" }).click();
    await page.getByText("change.base_moved").waitFor();
    await page.getByText("A document has moved. See what moved and decide:").waitFor();
  });
});

test("what is being written is replaced by no new document and no wizard", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    const mine = (kind: string, name: string): PendingEdit => ({
      kind,
      name,
      text: `apiVersion: holdfast/v1\nkind: ${kind}\nname: ${name}\n# mine\n`,
      baseRevision: 0,
      baseText: null,
    });
    await keep(page, mine("Policy", "web-new"), mine("Tunnel", "seoul-acme"));
    await open(page, server, paths.documents());
    await page.getByRole("button", { name: "New document" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("web-new");
    await dialog.getByText("Your pending change writes a document of this kind and name already.").waitFor();
    await expect.poll(() => dialog.getByRole("button", { name: "Write it" }).isDisabled()).toBe(true);
    await dialog.getByLabel("Name").fill("web-host");
    await dialog.getByText("There is a document of this kind and name.").waitFor();
    await page.keyboard.press("Escape");

    await page.getByRole("button", { name: "Connect two sites…" }).click();
    await dialog.getByLabel("Name of the tunnel").fill("seoul-acme");
    await dialog.getByText("Your pending change writes a tunnel seoul-acme already.").last().waitFor();
    const put = dialog.getByRole("button", { name: /^Put into the pending change/ });
    await expect.poll(() => put.getAttribute("aria-disabled")).toBe("true");
    expect(await edited(page)).toContain("# mine");
  });
});

test("a deletion that is pending stays one until its author drops it", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.document("Policy", "monitoring"));
    await page.getByRole("button", { name: "Delete", exact: true }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Put into the pending change" }).click();
    await page.getByText("deletion pending", { exact: true }).first().waitFor();

    await open(page, server, paths.server("mon-1", { tab: "observe" }));
    for (const box of await page.getByRole("checkbox", { name: /^Drop it indeed/ }).all()) await box.check();
    const enforce = page.getByRole("button", { name: /^Enforce/ });
    await expect.poll(() => enforce.getAttribute("aria-disabled")).toBe("true");
    await page.getByText("Your pending change deletes Policy/monitoring").last().waitFor();

    await open(page, server, paths.editDocument("Policy", "monitoring"));
    await page.getByText("Your pending change deletes this document.").waitFor();
    await expect.poll(() => page.getByRole("group", { name: "Ways to edit the same document" }).count()).toBe(0);
    await page.getByRole("button", { name: "Drop the deletion and edit it" }).click();
    await page.getByLabel("Name of telnet").waitFor();
    await expect.poll(() => page.getByRole("region", { name: "Pending change" }).count()).toBe(0);
  });
});

test("the way to edit is chosen once: a section that is half typed moves nobody out of the text", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await keep(page, {
      kind: "Policy",
      name: "web-new",
      text: "apiVersion: holdfast/v1\nkind: Policy\nname: web-new\nlayer: role\nselector: { role: web }\n",
      baseRevision: 0,
      baseText: null,
    });
    await open(page, server, paths.editDocument("Policy", "web-new"));
    const text = page.getByRole("textbox", { name: "Text of web-new" });
    await text.click();
    await page.keyboard.press("Control+End");
    await page.keyboard.type("network:\nfirewall:\n");
    await expect.poll(() => edited(page)).toMatch(/network:\s+firewall:/);
    await expect.poll(() => text.isVisible()).toBe(true);
  });
});

test("what is refused stays typed, and why is in view", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.editDocument("Policy", "office-net", { view: "system" }));
    await page.getByRole("button", { name: "Add one… system.users", exact: true }).click();
    const name = page.getByLabel("Name of a new one in system.users");
    await name.fill("kim");
    await page.keyboard.press("Enter");
    const refusal = page.getByText("This edit cannot be made here").first();
    await refusal.waitFor();
    await page.getByText("There is system.users.kim already").waitFor();
    await expect.poll(() => name.inputValue()).toBe("kim");
    await expect.poll(() => page.getByRole("region", { name: "Pending change" }).count()).toBe(0);
    // A key has blanks in it and is one all the same.
    await page.getByLabel("keys", { exact: true }).fill("ssh-ed25519 AAAA kim@office, ssh-ed25519 BBBB kim@home");
    await page.keyboard.press("Enter");
    await expect
      .poll(() => edited(page))
      .toContain('keys: ["ssh-ed25519 AAAA kim@office", "ssh-ed25519 BBBB kim@home"]');

    const from = "from: # asked on Monday\n          - office\n          # and theirs\n          - 198.51.100.7\n";
    await keep(page, {
      kind: "Policy",
      name: "web-new",
      text: `apiVersion: holdfast/v1\nkind: Policy\nname: web-new\nlayer: role\nselector: { role: web }\nfirewall:\n  inbound:\n    rules:\n      - name: ssh\n        allow: tcp/22\n        ${from}`,
      baseRevision: 0,
      baseText: null,
    });
    await open(page, server, paths.editDocument("Policy", "web-new", { view: "rules" }));
    const peer = page.getByLabel("From of ssh");
    await peer.fill("office");
    await page.keyboard.press("Enter");
    await page.getByText("would be lost; edit it in the text").waitFor();
    await expect.poll(() => peer.inputValue()).toBe("office");
    await expect.poll(() => peer.getAttribute("aria-invalid")).toBe("true");
    expect(await edited(page)).toContain(from);
  });
});

test("somebody else wrote a document of the same name meanwhile: it is shown, and its author decides", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await keep(page, {
      kind: "Group",
      name: "partner-networks",
      text: "apiVersion: holdfast/v1\nkind: Group\nname: partner-networks\naddresses: []\n",
      baseRevision: 0,
      baseText: null,
    });
    await open(page, server, paths.editDocument("Group", "partner-networks"));
    await page.getByText(/has written a document of this name meanwhile/).waitFor();
    await page.getByRole("button", { name: /^Put my text on top of revision/ }).click();
    await page.getByRole("button", { name: "Difference" }).click();
    await page.getByText("-  - 198.51.100.0/24").waitFor();
  });
});

test("ticks and typed words are for the plan that was read: planned again, they are given again", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url);
    await open(page, server, paths.editDocument("Policy", "web-host", { view: "rules" }));
    await page.getByRole("button", { name: "Remove ssh" }).click();
    await page.getByRole("button", { name: "Review…" }).click();
    await page.getByRole("button", { name: "Ask the servers" }).click();
    await page.getByText("3 dangerous findings are not ticked yet.").last().waitFor();
    const boxes = page.getByLabel("I have read this and want it all the same");
    for (const box of await boxes.all()) await box.check();
    await page.getByLabel("Type 3 servers to go on").fill("3 servers");
    await page.getByRole("button", { name: "Plan again" }).click();
    await page.getByText("3 dangerous findings are not ticked yet.").last().waitFor();
    await expect.poll(() => page.getByLabel("Type 3 servers to go on").inputValue()).toBe("");
  });
});

test("who may only look can change no rule", async () => {
  await visit("calm", {}, async ({ page, server }) => {
    await signIn(page, server.url, "viewer", "only looking on");
    await open(page, server, paths.editDocument("Policy", "web-host", { view: "rules" }));
    await expect.poll(() => page.getByLabel("Name of ssh").isDisabled()).toBe(true);
    await expect.poll(() => page.getByRole("button", { name: "Remove ssh" }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Move ssh up" }).focus();
    await page.keyboard.press("Alt+ArrowUp");
    await expect.poll(() => page.getByRole("region", { name: "Pending change" }).count()).toBe(0);
  });
});
