import {
  firewallCountsOf,
  firewallSeenSchema,
  networkSeenSchema,
  systemSeenSchema,
  vpnSeenSchema,
} from "@holdfast/console/live/observed.ts";
/** What modules of this version report and what the console reads of it are held together: by the compiler, and by the mock's own examples. */
import { firewallObserved } from "@holdfast/console/mock-api/config.ts";
import { networkObserved } from "@holdfast/console/mock-api/live-network.ts";
import { systemObserved } from "@holdfast/console/mock-api/live-system.ts";
import { vpnObserved } from "@holdfast/console/mock-api/live-vpn.ts";
import type { FirewallObserved } from "@holdfast/domains/firewall/facts.ts";
import type { NetworkObserved } from "@holdfast/domains/network/observed.ts";
import type { SystemObserved } from "@holdfast/domains/system/facts.ts";
import type { VpnObserved } from "@holdfast/domains/vpn/facts.ts";
import { expect, test } from "vitest";
import type { z } from "zod";

type Deep<T> = T extends object ? { readonly [Key in keyof T]: Deep<T[Key]> } : T;
type Understood<Reported, Read> = Reported extends Read ? true : never;

/** Does not compile when a module reports something that the console would not understand. */
const UNDERSTOOD: {
  readonly firewall: Understood<FirewallObserved, Deep<z.input<typeof firewallSeenSchema>>>;
  readonly network: Understood<NetworkObserved, Deep<z.input<typeof networkSeenSchema>>>;
  readonly system: Understood<SystemObserved, Deep<z.input<typeof systemSeenSchema>>>;
  readonly vpn: Understood<VpnObserved, Deep<z.input<typeof vpnSeenSchema>>>;
} = { firewall: true, network: true, system: true, vpn: true };

/** The mock tells nothing that a module would not. */
const EXAMPLES: {
  readonly network: NetworkObserved;
  readonly system: SystemObserved;
  readonly vpn: VpnObserved;
  readonly firewall: FirewallObserved;
} = {
  network: networkObserved(true, 7),
  system: systemObserved("web-1", true),
  vpn: vpnObserved(7),
  firewall: firewallObserved(7),
};

test("the console understands what modules of this version report", () => {
  expect(Object.values(UNDERSTOOD)).toEqual([true, true, true, true]);
  expect(firewallSeenSchema.safeParse(EXAMPLES.firewall).success).toBe(true);
  expect(networkSeenSchema.safeParse(EXAMPLES.network).success).toBe(true);
  expect(systemSeenSchema.safeParse(EXAMPLES.system).success).toBe(true);
  expect(vpnSeenSchema.safeParse(EXAMPLES.vpn).success).toBe(true);
  expect(firewallCountsOf(EXAMPLES.firewall)["d_inbound"]).toEqual({ packets: 49, bytes: 20_188 });
});
