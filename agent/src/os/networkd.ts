import { setTimeout as sleep } from "node:timers/promises";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import type { Family } from "@holdfast/core/net/address.ts";
import type { IpState } from "@holdfast/core/plan/ip-state.ts";
import type { Action } from "@holdfast/core/plan/step.ts";
import { DESCRIBE, describedLinks } from "@holdfast/domains/network/describe.ts";
import { type Fields, textIn } from "@holdfast/domains/network/read-json.ts";
import { leadsToLookup } from "@holdfast/domains/vpn/facts.ts";
import { lookupRule } from "@holdfast/domains/vpn/step.ts";
import { exec } from "./exec.ts";
import { changeIpState } from "./ip.ts";

type NetworkdAction = Extract<Action, { readonly kind: "networkd" }>;

/** Milliseconds for one answer of networkd. */
const CALL_TIMEOUT_MS = 10_000;
/** Milliseconds between two looks. */
const LOOK_EVERY_MS = 150;
/** Milliseconds of the budget that are kept for the answer. */
const MARGIN_MS = 1_500;
/**
 * networkd (252) loses track of a link that has left a bridge: it says failed or unmanaged for ever, or goes on configuring. Told to set it up
 * again it does, and where that is not enough, it does once the link was down. Milliseconds after which each is tried; duplicate address
 * detection alone takes two seconds.
 */
const SET_UP_AGAIN_AFTER_MS = 1_500;
const TAKE_DOWN_AFTER_MS = 5_000;
/** Milliseconds after which a link that may go on waiting for the wire counts as begun. */
const BEGUN_AFTER_MS = 9_000;

/**
 * Lets networkd read its files again and waits until it is done with them. Its own exit code says only that it has heard. It takes away the rule
 * by which strongSwan leads packets into tunnels, and strongSwan sets it only when it starts: it is set again here, so that a change of the
 * network does not stop a tunnel.
 */
export async function reloadNetworkd(action: NetworkdAction, budgetMs: number): Promise<Result<null, string>> {
  const led = await lookupFamilies();
  const reloaded = await reloadAndSettle(action, budgetMs);
  const lead = await lookupFamilies();
  const lost = led.filter((family) => !lead.includes(family));
  if (lost.length > 0) await changeIpState(NOTHING, { ...NOTHING, rules: lost.map(lookupRule) }, CALL_TIMEOUT_MS);
  return reloaded;
}

const NOTHING: IpState = { addresses: [], routes: [], rules: [] };
const FAMILIES: readonly Family[] = [4, 6];

async function lookupFamilies(): Promise<readonly Family[]> {
  const listings = await Promise.all(
    FAMILIES.map((family) => exec(["ip", "-j", "-N", `-${family}`, "rule", "show"], { timeoutMs: CALL_TIMEOUT_MS })),
  );
  return FAMILIES.filter((_family, index) => leadsToLookup(listings[index]?.stdout ?? ""));
}

async function reloadAndSettle(action: NetworkdAction, budgetMs: number): Promise<Result<null, string>> {
  const startedAt = performance.now();
  const reloaded = await networkctl("reload");
  if (!reloaded.ok) return reloaded;
  // One that is not there any more has nothing to be set up.
  for (const link of action.reconfigure) await networkctl("reconfigure", link);
  const tried = new Map<string, "again" | "down">();
  for (;;) {
    const passedMs = performance.now() - startedAt;
    const states = await linkStates();
    const waiting = action.settle.filter(({ link, lease }) => !isDone(states.get(link), lease, passedMs));
    if (waiting.length === 0) return ok(null);
    if (passedMs > budgetMs - MARGIN_MS) {
      const late = waiting
        .filter(({ link, lease }) => lease && states.get(link)?.carrier === true)
        .map(({ link }) => link);
      return late.length === 0 ? ok(null) : err(`no lease came on ${late.join(", ")}, though there is a carrier`);
    }
    for (const { link, lease } of waiting) await push(link, states.get(link), lease, passedMs, tried);
    await sleep(LOOK_EVERY_MS);
  }
}

interface LinkState {
  readonly setup: string;
  readonly carrier: boolean;
}

function isDone(state: LinkState | undefined, lease: boolean, passedMs: number): boolean {
  if (state === undefined) return false;
  if (state.setup === "configured") return true;
  // Without a carrier nothing is learnt, and duplicate addresses cannot be looked for.
  if (state.setup === "configuring" && !state.carrier) return passedMs > SET_UP_AGAIN_AFTER_MS;
  return state.setup === "configuring" && !lease && passedMs > BEGUN_AFTER_MS;
}

async function push(
  link: string,
  state: LinkState | undefined,
  lease: boolean,
  passedMs: number,
  tried: Map<string, "again" | "down">,
): Promise<void> {
  if (state === undefined) return;
  const isLost = state.setup !== "configuring";
  if (isLost && passedMs > SET_UP_AGAIN_AFTER_MS && !tried.has(link)) {
    tried.set(link, "again");
    await networkctl("reconfigure", link);
  } else if (!lease && passedMs > TAKE_DOWN_AFTER_MS && tried.get(link) !== "down") {
    tried.set(link, "down");
    await exec(["ip", "link", "set", "dev", link, "down"], { timeoutMs: CALL_TIMEOUT_MS });
    await networkctl("reconfigure", link);
  }
}

async function networkctl(...words: readonly string[]): Promise<Result<null, string>> {
  const done = await exec(["networkctl", ...words], { timeoutMs: CALL_TIMEOUT_MS });
  return done.status === 0
    ? ok(null)
    : err(`networkctl ${words.join(" ")}: ${done.stderr.trim().split("\n")[0] ?? ""}`);
}

async function linkStates(): Promise<ReadonlyMap<string, LinkState>> {
  const described = await exec(DESCRIBE, { timeoutMs: CALL_TIMEOUT_MS });
  // Not there at the moment: looked at again.
  const links = (described.status === 0 ? describedLinks(described.stdout) : null) ?? new Map<string, Fields>();
  return new Map(
    [...links].map(([name, one]) => [
      name,
      {
        setup: textIn(one, "AdministrativeState") ?? "",
        carrier: !["off", "no-carrier", ""].includes(textIn(one, "CarrierState") ?? ""),
      },
    ]),
  );
}
