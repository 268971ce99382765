/**
 * The console against the real control plane with a real server: what the mock only plays is here done and seen. One operator from the first
 * sign-in to a change that is confirmed, one that cuts people off and is undone before their eyes, and a rollback.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { paths } from "@holdfast/console/paths.ts";
import { oneTimePasswordSchema } from "@holdfast/core/api/account.ts";
import { applyDetailSchema, applySummarySchema } from "@holdfast/core/api/apply.ts";
import { rolloutSchema } from "@holdfast/core/api/change.ts";
import { floorText, policyText, PORTS, USUAL_RULES } from "@holdfast/testkit/house/documents.ts";
import { House } from "@holdfast/testkit/house/house.ts";
import { REPOSITORY_ROOT } from "@holdfast/testkit/repository.ts";
import { tcpConnect } from "@holdfast/testkit/servers/probes.ts";
import { until } from "@holdfast/testkit/until.ts";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { withBrowser } from "./browser.ts";
import { applyReviewed, review, seen, tickAndType, WAIT_MS, writeText } from "./real-steps.ts";

/** Long enough for a person who is a browser on a busy machine to press Confirm. */
const WINDOW_SECONDS = 60;
const TRIAL = { reconnect: 20, soak: 1, window: WINDOW_SECONDS } as const;
const POLICY = "host-web-1";
const PERMISSIONS = ["view", "edit", "apply", "approve", "audit", "admin"] as const;

let house: House;
let url = "";
let password = "";

beforeAll(async () => {
  const built = spawnSync(join(REPOSITORY_ROOT, "deploy/dev/build-console.sh"), { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`the console could not be built:\n${built.stderr}`);
  house = await House.open({ servers: [{ name: "web-1" }], trial: TRIAL });
  url = house.operator.url;
  const made = await house.operator.call("createUser", {
    body: { name: "sora", permissions: PERMISSIONS },
    answer: oneTimePasswordSchema,
  });
  password = made.password;
  // From now on somebody has to look: the change of the floor itself is the first.
  await peopleConfirm();
}, 240_000);
afterAll(() => house.close(), 60_000);

async function newest(): Promise<z.infer<typeof applySummarySchema> | undefined> {
  const { items } = await house.operator.call("listServerApplies", {
    params: { name: "web-1" },
    answer: z.object({ items: z.array(applySummarySchema) }),
  });
  return items[0];
}

/** By the API: there is nothing to look at yet. */
async function peopleConfirm(): Promise<void> {
  const rollout = await house.operator.begin("People confirm", [floorText({ ...TRIAL, confirm: "person" })]);
  if (rollout === null) return;
  await until(
    "the floor to be in force",
    async () => {
      const now = await house.operator.call("getRollout", { params: { id: rollout.id }, answer: rolloutSchema });
      for (const { apply } of now.waves.flatMap((wave) => wave.servers))
        if (apply?.phase === "on_trial")
          await house.operator
            .call("confirmApply", { params: { id: apply.id }, body: {}, answer: z.unknown() })
            .catch(() => undefined); // it has just been confirmed by machine, or is not ready for it
      return now.state === "DONE";
    },
    WAIT_MS,
    500,
  );
}

async function write(page: Page, text: string): Promise<void> {
  await writeText(page, url, POLICY, text);
}

/** From the pending change to the page of the rollout, ticking and typing what is asked for. */
async function reviewAndApply(page: Page, title: string): Promise<void> {
  await review(page, title);
  await tickAndType(page, "web-1");
  await applyReviewed(page);
}

test("from the first sign-in to a confirmed change, a lock-out that undoes itself, and a rollback", async () => {
  const server = house.server("web-1");
  await withBrowser({ viewport: { width: 1280, height: 900 }, locale: "en" }, async (context) => {
    const page = await context.newPage();
    page.setDefaultTimeout(WAIT_MS);
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));

    // The first sign-in: the one-time password opens nothing but its own change.
    await page.goto(`${url}/login`);
    await page.locator("#user").fill("sora");
    await page.locator("#password").fill(password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Change password", level: 1 }).waitFor();
    await page.getByLabel("Current password").fill(password);
    await page.getByLabel("New password", { exact: true }).fill("a longer password of mine");
    await page.getByLabel("New password again").fill("a longer password of mine");
    await page.getByRole("button", { name: "Change password" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();

    // Enrolment is one command.
    await page.goto(`${url}${paths.servers()}`);
    await page.getByRole("button", { name: /^Enroll a server/ }).click();
    await page.getByLabel("Name").fill("web-2");
    await page.getByRole("button", { name: "Make the command" }).click();
    await page.getByText(/holdfast-agent enroll --control .* --ca-fingerprint .* --token /).waitFor();
    await page.keyboard.press("Escape");

    // What the server says itself, domain by domain, in views that understand it.
    await page.goto(`${url}${paths.server("web-1", { tab: "live", domain: "network" })}`);
    await page.getByRole("row").filter({ hasText: server.address }).first().waitFor();
    await page.getByRole("button", { name: "System" }).click();
    await page.getByRole("heading", { name: "People" }).waitFor();
    await page.getByRole("row").filter({ hasText: "Host name" }).getByText("web-1").waitFor();
    await page.getByRole("button", { name: "VPN" }).click();
    await page.getByRole("heading", { name: "Tunnels" }).waitFor();
    await page.getByRole("button", { name: "Firewall" }).click();
    await page.getByRole("row").filter({ hasText: "tcp/8080" }).waitFor();
    await expect.poll(() => page.getByText("is not known to this console").count()).toBe(0);

    // A rule is written, reviewed, applied, watched and confirmed by a person.
    // It is about the port of the floor, so it touches the way in, and the floor asks for a person.
    const more = { ...USUAL_RULES, ssh: `allow: tcp/${PORTS.ssh}, from: any` };
    await write(page, policyText({ server: "web-1", inbound: more, expectOpen: [`tcp/${PORTS.app}`] }));
    await reviewAndApply(page, "SSH from everywhere");
    await page.getByText("a person to confirm that it works").first().waitFor();
    await page.getByText("The server undoes by itself in").first().waitFor();
    await page.getByRole("button", { name: "Confirm", exact: true }).first().click();
    await seen(page, "Ended: 1 of 1 servers as asked.");
    expect(await tcpConnect(house.networks.visitor, server.address, PORTS.ssh)).toBe("open");
    const applied = await newest();
    expect(applied).toMatchObject({ state: "APPLIED", serverIs: "as_requested" });

    // The rule that people need goes: what was open before is closed after, and the server goes back while we look.
    const { app: _cut, ...kept } = USUAL_RULES;
    const others = { ...kept, ssh: more.ssh };
    await write(page, policyText({ server: "web-1", inbound: others, expectOpen: [`tcp/${PORTS.app}`] }));
    await reviewAndApply(page, "Close what people need");
    await seen(page, "The rollout was halted");
    const story = page.locator(".hf-story");
    await story.getByText("ROLLED_BACK").first().waitFor();
    await story.getByText("as before", { exact: true }).waitFor();
    expect(await tcpConnect(house.networks.visitor, server.address, PORTS.app)).toBe("open");
    const undone = await newest();
    expect(undone).toMatchObject({ state: "ROLLED_BACK", code: "apply.probe_failed", serverIs: "as_before" });
    // Each button that cannot be pressed says why, in the control plane's own words.
    const { actions } = await house.operator.call("getApply", {
      params: { id: undone?.id ?? "" },
      answer: applyDetailSchema,
    });
    for (const [act, name] of [
      ["confirm", /^Confirm/],
      ["rollback", /^Roll back/],
      ["retry", /^Retry/],
    ] as const) {
      const button = story.getByRole("button", { name }).first();
      const reason = actions[act];
      await expect
        .poll(() => button.getAttribute("aria-disabled"), { message: act })
        .toBe(reason === null ? null : "true");
      if (reason !== null) await expect.poll(() => button.textContent()).toContain(reason);
    }

    // The first change can be taken back, though a later one was tried and undone.
    await page.goto(`${url}${paths.apply(applied?.id ?? "")}`);
    await page.getByRole("button", { name: /^Roll back/ }).click();
    await page
      .getByRole("dialog")
      .getByRole("button", { name: /^Roll back/ })
      .click();
    // It would close a way in, so one press is refused, and the way leads to the plan.
    await page.getByRole("link", { name: /^Plan the rollback with the change/ }).click();
    await page.getByRole("button", { name: "Plan a rollback" }).click();
    await page.getByRole("button", { name: /^Roll back on 1 server/ }).waitFor();
    await tickAndType(page, "web-1");
    await page.getByRole("button", { name: /^Roll back on 1 server/ }).click();
    await page.waitForURL(/\/rollouts\//);
    await page.getByRole("button", { name: "Confirm", exact: true }).first().click();
    await seen(page, "Ended: 1 of 1 servers as asked.");
    expect(await tcpConnect(house.networks.visitor, server.address, PORTS.ssh)).not.toBe("open");
    expect(complaints).toEqual([]);
  });
}, 400_000);
