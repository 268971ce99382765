import { TUNNEL_SUITE_NAMES } from "@holdfast/core/policy/tunnel-suite.ts";
import { z } from "zod";
import { peopleConfigSchema, tunnelConfigSchema } from "./model.ts";

/**
 * The vpn section of one server. Nobody writes it: core makes one of each Tunnel for each managed end (compose/tunnel-ends.ts), so that the two
 * cannot differ. Only the suite is still a name.
 */
const named = { suite: z.enum(TUNNEL_SUITE_NAMES) };
const made = { ikeProposals: true, childProposals: true } as const;

export const vpnSectionSchema = z.strictObject({
  tunnels: z.record(z.string(), tunnelConfigSchema.omit(made).extend(named)),
  people: z.record(z.string(), peopleConfigSchema.omit(made).extend(named)).optional(),
});

export type VpnSection = z.output<typeof vpnSectionSchema>;
