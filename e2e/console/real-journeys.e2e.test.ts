/**
 * The console against the real control plane with real servers: what two people do there in a week. One house for all of it; every journey makes
 * what it needs itself, so that each can be done again by itself. Each looks another way: by keyboard alone, in Korean, in the dark, on a phone.
 */
import { ko } from "@holdfast/console/i18n/ko.ts";
import { paths } from "@holdfast/console/paths.ts";
import { applyDetailSchema, applySummarySchema } from "@holdfast/core/api/apply.ts";
import { rolloutSchema } from "@holdfast/core/api/change.ts";
import { installProgram } from "@holdfast/testkit/agents/install-agent.ts";
import { floorText, policyText, PORTS, USUAL_RULES } from "@holdfast/testkit/house/documents.ts";
import { routeOf } from "@holdfast/testkit/house/house-networks.ts";
import type { HouseServer } from "@holdfast/testkit/house/house-server.ts";
import { House } from "@holdfast/testkit/house/house.ts";
import { useOwnDataPlane } from "@holdfast/testkit/servers/strongswan.ts";
import { until } from "@holdfast/testkit/until.ts";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { setMood, whileLoading } from "../fault-matrix/crooked-nft.ts";
import { flawsOf } from "./flaws.ts";
import {
  applyReviewed,
  asPerson,
  makePerson,
  type Person,
  review,
  seen,
  tabTo,
  tickAndType,
  WAIT_MS,
} from "./real-steps.ts";
import { buildConsole } from "./visit.ts";

vi.setConfig({ testTimeout: 240_000 });

const TRIAL = { reconnect: 20, soak: 1, window: 60 } as const;
const INSIDE = { "gw-a": "10.71.0.1", "gw-b": "10.72.0.1" } as const;
const DARK = { colorScheme: "dark" } as const;
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true } as const;
const EVERYTHING = ["view", "edit", "apply", "approve", "audit", "admin"] as const;

/** As root's shell on Debian has it. */
const ROOTS_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Changed between two starts of the control plane, as an administrator does. */
const environment: Record<string, string> = {};
let house: House;
let url = "";
let sora: Person;
let jun: Person;

beforeAll(async () => {
  buildConsole();
  house = await House.open({ servers: [{ name: "gw-a" }, { name: "gw-b" }], trial: TRIAL, environment });
  url = house.operator.url;
  sora = await makePerson(house.operator, "sora", EVERYTHING);
  jun = await makePerson(house.operator, "jun", ["view", "edit", "apply", "approve"]);
  await twoLookAtTheSystem();
}, 300_000);
afterAll(() => house.close(), 60_000);

/** From then on a change of the system domain needs a second person. It moves nothing on a server, so it is taken over and not sent. */
async function twoLookAtTheSystem(): Promise<void> {
  const floor = `${floorText(TRIAL)}approvalsWhen: { approvals: 1, domains: system }\n`;
  const { id, plans } = await house.operator.plan("Two look at the system", [floor]);
  const rollout = await house.operator.call("applyChange", {
    params: { id },
    body: {
      plans: plans.flatMap(({ id: planId, planDigest }) => (planDigest === null ? [] : [{ planId, planDigest }])),
    },
    answer: rolloutSchema,
  });
  expect(await house.operator.waitRollout(rollout.id)).toMatchObject({ state: "DONE" });
}

let ports = 20_100;
/** A journey that is done again must have something to do. */
const freshPort = (): number => ports++;

async function newestApply(server: HouseServer): Promise<z.infer<typeof applyDetailSchema>> {
  const { items } = await house.operator.call("listServerApplies", {
    params: { name: server.name },
    answer: z.object({ items: z.array(applySummarySchema) }),
  });
  return house.operator.call("getApply", { params: { id: items[0]?.id ?? "" }, answer: applyDetailSchema });
}

/** A text in the editor, on top of whatever is in force. */
async function edit(page: Page, kind: string, name: string, text: string): Promise<void> {
  await page.goto(`${url}${paths.editDocument(kind, name, { view: "text" })}`);
  await page.getByRole("textbox").last().click();
  await page.keyboard.press("Control+a");
  await page.keyboard.insertText(text);
  await page.getByRole("region", { name: "Pending change" }).getByText(name, { exact: true }).waitFor();
}

const openRule = (server: string, port: number): string =>
  policyText({ server, inbound: { ...USUAL_RULES, more: `allow: tcp/${port}, from: any` } });

test("a server joins: the very command of the dialog runs on it, its key is compared and approved, and it is here", async () => {
  const machine = house.lab.server({
    name: `new-${freshPort()}`,
    kind: "systemd",
    attachments: [{ network: house.networks.lan, interface: "eth0", addresses: ["192.0.2.50"] }],
    routes: routeOf(false),
  });
  const { name } = machine;
  // From now on a person approves keys.
  environment["HOLDFAST_ENROLMENT_APPROVAL"] = "on";
  await house.killControl();
  await Promise.all([house.startControl(), machine.start().then(() => installProgram(machine, "checkout"))]);

  await asPerson(url, sora, {}, async (page) => {
    await page.goto(`${url}${paths.servers()}`);
    await page.getByRole("button", { name: /^Enroll a server/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill(name);
    await dialog.getByRole("button", { name: "Make the command" }).click();
    const command = dialog.locator("code", { hasText: "holdfast-agent enroll" }).first();
    const enrolling = machine.spawn(["env", ROOTS_PATH, "sh", "-c", (await command.textContent()) ?? ""]);
    await dialog
      .getByText(`A key of ${name} waits for your approval`)
      .waitFor()
      .catch((error: unknown) => {
        throw new Error(`no key was shown; the command says:\n${enrolling.output}`, { cause: error });
      });
    const shown = (await dialog.locator(".hf-copy-block code").last().textContent()) ?? "";
    // What the dialog shows is what the server itself has printed.
    await until("the server to print its fingerprint", () => enrolling.output.includes(shown), WAIT_MS);
    expect(await flawsOf(page)).toEqual([]);
    await dialog.getByLabel("I have compared it with the one on the server, and they are the same").check();
    await dialog.getByRole("button", { name: "Approve this key" }).click();
    await dialog.getByText(`${name} is here`).waitFor();
    await dialog.getByRole("link", { name: `Go to ${name}` }).click();
    await page.getByRole("heading", { level: 1, name }).waitFor();
    await page.getByText("All right").first().waitFor();
  });
});

test("by the keyboard alone: a rule is written, reviewed and applied, from the sign-in to the end of the rollout", async () => {
  const server = house.server("gw-a");
  const port = freshPort();
  await asPerson(url, sora, {}, async (page) => {
    const go = async (role: "link" | "button", name: string | RegExp): Promise<void> => {
      await tabTo(page, page.getByRole(role, { name }).first());
      await page.keyboard.press("Enter");
    };
    await go("link", "Policies");
    await go("link", "host-gw-a");
    await go("button", "Edit");
    await page.getByRole("heading", { level: 1, name: "Edit host-gw-a" }).waitFor();
    await go("button", "Add a rule");
    const services = page.getByLabel(/^Services of (?!web$|app$|ping$)/).first();
    await tabTo(page, services);
    await page.keyboard.press("Control+a");
    await page.keyboard.type(`tcp/${port}`);
    await page.keyboard.press("Enter");
    const from = page.getByLabel(/^From of (?!web$|app$|ping$)/).first();
    await tabTo(page, from);
    await page.keyboard.press("Control+a");
    await page.keyboard.type("any");
    await page.keyboard.press("Enter");
    await page.getByText("Checked").waitFor();
    await go("button", "Review…");
    await tabTo(page, page.getByLabel("Title of the change"));
    await page.keyboard.press("Control+a");
    await page.keyboard.type("By keyboard");
    await go("button", "Ask the servers");
    await page.getByRole("heading", { name: "What it would do, server by server" }).waitFor();
    await go("button", /^Apply to 1 server/);
    await seen(page, "Ended: 1 of 1 servers as asked.");
    expect(await flawsOf(page)).toEqual([]);
  });
  expect(await server.ownTable()).toContain(`tcp dport ${port}`);
});

test("two people write the same policy: who comes second is told what moved, and decides", async () => {
  const [mine, theirs] = [freshPort(), freshPort()];
  await asPerson(url, sora, {}, async (page) => {
    await edit(page, "Policy", "host-gw-b", openRule("gw-b", mine));
    await asPerson(url, jun, {}, async (other) => {
      await edit(other, "Policy", "host-gw-b", openRule("gw-b", theirs));
      await review(other, "Theirs");
      await applyReviewed(other);
      await seen(other, "Ended: 1 of 1 servers as asked.");
    });
    // Nothing that was typed is lost, and nothing is merged behind anybody's back.
    await page.getByRole("button", { name: "Review…" }).click();
    await page.getByLabel("Title of the change").fill("Mine");
    await page.getByRole("button", { name: "Ask the servers" }).click();
    await page.getByText("change.base_moved").waitFor();
    await page.getByRole("dialog").getByRole("link", { name: "Policy/host-gw-b" }).click();
    await page.getByText(/jun has made revision \d+ while you edit revision/).waitFor();
    await page.getByText("What moved").click();
    await page.getByText(`allow: tcp/${theirs}`).first().waitFor();
    await page.getByRole("button", { name: /^Put my text on top of revision/ }).click();
    await page.getByRole("button", { name: "Difference" }).click();
    await page.locator(".hf-diff-remove", { hasText: `tcp/${theirs}` }).waitFor();
    await review(page, "Mine, on top of theirs");
    await applyReviewed(page);
    await seen(page, "Ended: 1 of 1 servers as asked.");
  });
  const table = await house.server("gw-b").ownTable();
  expect(table).toContain(`tcp dport ${mine}`);
  expect(table).not.toContain(`tcp dport ${theirs}`);
});

test("approved by a second person on a phone; one domain of two fails half-way, and both are as before", async () => {
  const server = house.server("gw-a");
  const port = freshPort();
  const kernel = (): Promise<string> => server.machine.must(["sysctl", "-n", "net.ipv4.tcp_keepalive_time"]);
  const before = await kernel();
  const wanted = String(port - 13_000);
  const title = `Keep-alive and port ${port}`;
  await setMood(server, "fail");
  try {
    await asPerson(url, sora, {}, async (page) => {
      const text = openRule("gw-a", port).replace(
        "firewall:\n",
        `system:\n  sysctl:\n    net.ipv4.tcp_keepalive_time: ${wanted}\nfirewall:\n`,
      );
      await edit(page, "Policy", "host-gw-a", text);
      await review(page, title);
      const apply = page.getByRole("button", { name: /^Apply to 1 server/ });
      await seen(page, "Approvals: 0 of 1.");
      await expect.poll(() => apply.getAttribute("aria-disabled")).toBe("true");
      // Nobody approves their own change.
      await expect
        .poll(() => page.getByRole("button", { name: /^Approve/ }).getAttribute("aria-disabled"))
        .toBe("true");
      await asPerson(url, jun, PHONE, async (phone) => {
        await phone.getByRole("button", { name: "Show or hide the navigation" }).click();
        await phone.getByRole("link", { name: "Changes" }).click();
        await phone.getByText("Waits for your approval").waitFor();
        await phone.getByRole("link", { name: title }).first().click();
        await phone.getByText(`tcp dport ${port}`).first().waitFor();
        // A finger does not hover: no tooltip stays.
        await phone.mouse.move(0, 0);
        await phone.getByRole("tooltip").waitFor({ state: "detached" });
        expect(await flawsOf(phone)).toEqual([]);
        await phone.getByRole("button", { name: "Approve" }).click();
        await phone.getByText("Approvals: 1 of 1.").waitFor();
      });
      await page.getByText("Approvals: 1 of 1. jun").waitFor();
      await tickAndType(page, "gw-a");
      await applyReviewed(page);

      await seen(page, "The rollout was halted");
      const story = page.locator(".hf-story");
      await story.getByText("ROLLED_BACK").first().waitFor();
      await story.getByText("as before", { exact: true }).waitFor();
      expect(await kernel()).toBe(before);
      expect(await server.ownTable()).not.toContain(`tcp dport ${port}`);
      const undone = await newestApply(server);
      expect(undone).toMatchObject({ state: "ROLLED_BACK", serverIs: "as_before" });
      await page
        .getByText(undone.code ?? "no code")
        .first()
        .waitFor();

      // The revision itself did not work here: not before it is another one.
      const retry = story.getByRole("button", { name: /^Retry/ });
      await expect.poll(() => retry.getAttribute("aria-disabled")).toBe("true");
      await story.getByText("trying again does not change (module.step_failed)").first().waitFor();
    });
  } finally {
    await setMood(server, "honest");
  }
});

test("what a killed guard has undone is tried again with one press, and is in force then", async () => {
  const server = house.server("gw-b");
  const port = freshPort();
  await setMood(server, "slow");
  try {
    await asPerson(url, sora, {}, async (page) => {
      await edit(page, "Policy", "host-gw-b", openRule("gw-b", port));
      await review(page, "Tried twice");
      await tickAndType(page, "gw-b");
      await applyReviewed(page);
      await whileLoading(server);
      server.kill("guard");
      const story = page.locator(".hf-story");
      await story.getByText("ROLLED_BACK").first().waitFor();
      expect(await server.ownTable()).not.toContain(`tcp dport ${port}`);
      const undone = await newestApply(server);
      expect(undone).toMatchObject({ state: "ROLLED_BACK", serverIs: "as_before" });
      await story
        .getByText(undone.code ?? "no code")
        .first()
        .waitFor();
      await setMood(server, "honest");
      await story.getByRole("button", { name: /^Retry/ }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Retry" }).click();
      await seen(page, "Ended: 1 of 1 servers as asked.");
      expect(await newestApply(server)).toMatchObject({ state: "APPLIED", retryOf: undone.id, retryCount: 1 });
    });
  } finally {
    await setMood(server, "honest");
  }
  expect(await server.ownTable()).toContain(`tcp dport ${port}`);
});

test("in Korean: what somebody changed by hand is seen and compared, and what was confirmed is put back", async () => {
  const server = house.server("gw-b");
  const before = await server.ownTable();
  await asPerson(url, sora, { locale: "ko-KR" }, async (page) => {
    await page.goto(`${url}${paths.server("gw-b")}`);
    await page.getByRole("heading", { level: 1, name: "gw-b" }).waitFor();
    await expect.poll(() => page.locator("html").getAttribute("lang")).toBe("ko");
    await server.machine.must([
      "nft",
      "insert",
      "rule",
      "inet",
      "holdfast",
      "rules_inbound",
      "tcp",
      "dport",
      "4444",
      "accept",
    ]);
    // It comes by itself.
    await page.getByText(ko["server.drift.wrong"]).waitFor();
    await page
      .getByRole("alert")
      .or(page.locator(".pf-v6-c-alert"))
      .getByRole("link", { name: ko["server.tab.live"] })
      .click();
    await page.getByText(ko["live.drift"]).first().waitFor();
    await page.getByText("4444").first().waitFor();
    expect(await flawsOf(page)).toEqual([]);
    await page.getByRole("tab", { name: ko["server.tab.state"] }).click();
    await page.getByRole("button", { name: ko["server.drift.putBack"] }).click();
    await page.getByRole("heading", { name: ko["review.plans"] }).waitFor();
    await page.getByText("plan.overwrites_drift").waitFor();
    for (const box of await page.getByLabel(ko["finding.acknowledge"]).all()) await box.check();
    await page.locator("#type-word").fill("gw-b");
    expect(await flawsOf(page)).toEqual([]);
    await page.getByRole("button", { name: ko["review.apply_one"].replace("{{count}}", "1") }).click();
    await page.waitForURL(/\/rollouts\//);
    await page.getByText(ko["rollout.ended"].replace("{{all}}", "1").replace("{{good}}", "1")).waitFor();
    await page.goto(`${url}${paths.server("gw-b")}`);
    await page.getByText(ko["status.ok"]).first().waitFor();
  });
  expect(await server.ownTable()).toBe(before);
});

test("in the dark: two sites are connected by the wizard, and packets pass between them", async () => {
  const [a, b] = [house.server("gw-a"), house.server("gw-b")];
  for (const { machine, name } of [a, b]) {
    // A network behind the server; a bridge stays up with nobody on it.
    await machine.exec(["ip", "link", "add", "inside", "type", "bridge"]);
    await machine.exec(["ip", "address", "add", `${INSIDE[name as keyof typeof INSIDE]}/24`, "dev", "inside"]);
    await machine.must(["ip", "link", "set", "inside", "up"]);
    await useOwnDataPlane(machine, true);
  }
  const tunnel = `sites-${freshPort()}`;
  await asPerson(url, sora, DARK, async (page) => {
    await page.goto(`${url}${paths.documents()}`);
    await page.getByRole("button", { name: "Connect two sites…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name of the tunnel").fill(tunnel);
    for (const [title, { name, address }, network] of [
      ["One end", a, "10.71.0.0/24"],
      ["The other end", b, "10.72.0.0/24"],
    ] as const) {
      const end = dialog.getByRole("group", { name: title });
      await end.getByLabel("Server").selectOption(name);
      await end.getByLabel("Address").fill(address);
      await end.getByLabel("Networks").fill(network);
    }
    await dialog.getByLabel("May pass").fill(`icmp/echo, tcp/${PORTS.app}`);
    await expect
      .poll(() => dialog.getByRole("button", { name: "Put into the pending change" }).getAttribute("aria-disabled"), {
        timeout: WAIT_MS,
      })
      .toBeNull();
    expect(await flawsOf(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Put into the pending change" }).click();
    await page.getByRole("heading", { level: 1, name: new RegExp(tunnel) }).waitFor();
    await review(page, "Connect the two sites");
    await tickAndType(page, "2 servers");
    expect(await flawsOf(page)).toEqual([]);
    await applyReviewed(page);
    await seen(page, "Ended: 2 of 2 servers as asked.");
    await until(
      "packets to pass",
      async () => {
        const { code } = await a.machine.exec([
          "timeout",
          "2",
          "bash",
          "-c",
          `: </dev/tcp/${INSIDE["gw-b"]}/${PORTS.app}`,
        ]);
        return code === 0;
      },
      WAIT_MS,
      500,
    );
    await page.goto(`${url}${paths.server("gw-a", { tab: "live", domain: "vpn" })}`);
    await page.getByText(tunnel).first().waitFor();
    await page.getByText("up", { exact: true }).first().waitFor();
    expect(await flawsOf(page)).toEqual([]);
  });
});

test("the audit log: found by person and by request id, unfolded, and walked from the first entry to the last", async () => {
  const { requestId } = await newestApply(house.server("gw-a"));
  await asPerson(url, sora, PHONE, async (page) => {
    await page.goto(`${url}${paths.audit()}`);
    await seen(page, "The audit chain is intact");
    const filter = page.getByLabel("Filter by person, action, object, server, request_id");
    await filter.fill("sora");
    await page.locator("td strong", { hasText: "sora" }).first().waitFor();
    expect(new Set(await page.locator("td strong").allTextContents())).toEqual(new Set(["sora"]));
    await filter.fill(requestId ?? "none");
    const entry = page.getByRole("row").filter({ hasText: "gw-a" });
    await entry.getByRole("button", { name: "Show" }).first().click();
    await page
      .getByText(requestId ?? "none")
      .first()
      .waitFor();
    expect(await flawsOf(page)).toEqual([]);
  });
});
