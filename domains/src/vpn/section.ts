import { TUNNEL_SUITE_NAMES } from "@holdfast/core/policy/tunnel-suite.ts";
import { z } from "zod";
import { tunnelConfigSchema } from "./model.ts";

/**
 * The vpn section of one server. Nobody writes it: core makes one of each Tunnel for each managed end (compose/tunnel-ends.ts), so that the two
 * cannot differ. Only the suite is still a name.
 */
export const vpnSectionSchema = z.strictObject({
  tunnels: z.record(
    z.string(),
    tunnelConfigSchema.omit({ ikeProposals: true, childProposals: true }).extend({ suite: z.enum(TUNNEL_SUITE_NAMES) }),
  ),
});

export type VpnSection = z.output<typeof vpnSectionSchema>;
