import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { FAMILY_BITS } from "@holdfast/core/net/address.ts";
import { parseNetwork } from "@holdfast/core/net/network.ts";
import type { IpsecPool } from "@holdfast/core/plan/ipsec-state.ts";
import { fingerprint } from "./fingerprint.ts";
import type { PeopleConfig, TunnelConfig } from "./model.ts";

/**
 * People who call in. Each is a connection of their own under one identity, so that charon itself lets in nobody who is not named, and shutting one out is
 * taking one connection away. What they share is where their addresses come from.
 *
 * By password (ADR 0041) there is one connection more, which asks whoever calls for a name and lets in nobody (its door): charon asks only where it does not
 * know the name yet, and takes the connection of that name when the password was right.
 *
 * By certificate (ADR 0044) a person's connection is known by that very certificate, whatever of what stands in it the device calls itself: Windows says the
 * whole subject where others say the mail address.
 */

export const POOL_PREFIX = "holdfast-pool-";

export function poolsOf({ pools, dns }: PeopleConfig): readonly IpsecPool[] {
  return pools.map((network, index) => {
    // Told once, however many pools there are: charon adds up what each says.
    const pool = { network, dns: index === 0 ? dns : [] };
    return { name: `${POOL_PREFIX}${fingerprint(canonicalJson(pool))}`, ...pool };
  });
}

/** Whether somebody of them types a password: all do, or nobody. */
export function asksForPasswords({ certificate, persons }: PeopleConfig): boolean {
  return certificate !== undefined && Object.values(persons).some((person) => "keyFile" in person);
}

/** What a person is to everything that knows tunnels. */
export function tunnelOfPerson(config: PeopleConfig, name: string, identity: string, keyFile: string): TunnelConfig {
  const { local, pools, clearText, suite, ikeProposals, childProposals, ikeSeconds, childSeconds, deadSeconds } =
    config;
  return {
    local,
    remote: { address: null, identity, networks: pools },
    peer: name,
    initiates: false,
    clearText,
    keyFile,
    suite,
    ikeProposals,
    childProposals,
    ikeSeconds,
    childSeconds,
    deadSeconds,
    deadThen: "clear",
  };
}

/** What charon calls whoever has not said yet who they are. */
export const ANYBODY = "%any";

export function parsePoolName(text: string): Result<string, string> {
  return new RegExp(`^${POOL_PREFIX}[0-9a-f]{16}$`).test(text)
    ? ok(text)
    : err(`${JSON.stringify(text.slice(0, 80))} is no pool of ours`);
}

/** Addresses that charon gives out of a network: neither the first nor the last where there are more than two, and never more than two thousand million. */
export function poolSize(network: string): number {
  const parsed = parseNetwork(network);
  if (!parsed.ok) return 0;
  const free = FAMILY_BITS[parsed.value.family] - parsed.value.prefix;
  if (free > 31) return 2 ** 31;
  return free > 1 ? 2 ** free - 2 : 2 ** free;
}
