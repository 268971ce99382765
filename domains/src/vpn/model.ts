import { z } from "zod";

/** The vpn part of an effective config: the tunnels that end on this server, each as this end has it. Everything is concrete. */

const networks = z.array(z.string()).min(1);
const endSchema = z.strictObject({
  /** Null here: any address of this server; null there: the other end's address is not known. */
  address: z.string().nullable(),
  identity: z.string(),
  networks,
});
const proposals = z.array(z.string()).min(1);
const seconds = z.int().min(1).max(604_800);

/** Certificates as the base64 of their DER; the file of the key holds the private one. */
const certificatesSchema = z.strictObject({
  own: z.string(),
  /** SHA-1 of the public key: what strongSwan calls the private one by. */
  keyId: z.string(),
  /** The other end has this very one; null: any that the authority has issued for its identity. */
  peer: z.string().nullable(),
  authority: z.string().nullable(),
});

export const tunnelConfigSchema = z.strictObject({
  local: endSchema,
  remote: endSchema,
  /** The other end, for people. */
  peer: z.string(),
  initiates: z.boolean(),
  clearText: z.enum(["block", "allow"]),
  /** Name of the key's file on this server: an administrator's, or one of the store of secrets. */
  keyFile: z.string(),
  suite: z.string(),
  ikeProposals: proposals,
  childProposals: proposals,
  ikeSeconds: seconds,
  childSeconds: seconds,
  deadSeconds: seconds,
  deadThen: z.enum(["restart", "clear"]),
  /** Left out: packets are chosen by their addresses. An agent that does not know it refuses the config as a whole. */
  via: z.literal("interface").optional(),
  /** Left out: the ends have a pre-shared key. */
  certificates: certificatesSchema.optional(),
});

/** People who call in, by their names; who is revoked is not among them. */
export const peopleConfigSchema = z.strictObject({
  local: endSchema,
  /** Networks out of which each gets an address. */
  pools: networks,
  /** Resolvers that they are told to ask. */
  dns: z.array(z.string()),
  persons: z.record(
    z.string(),
    z.union([
      z.strictObject({ identity: z.string(), keyFile: z.string() }),
      /** The very one that this person has, and the one that has issued it, as the base64 of their DER. An agent that does not know it refuses the config as a whole. */
      z.strictObject({ identity: z.string(), certificate: z.string(), authority: z.string() }),
    ]),
  ),
  /**
   * The base64 of its DER, by which this server proves itself, and the file of its private key: then each person has a certificate, or a password, and the
   * identity is the user name. Left out: they have pre-shared keys. An agent that does not know it refuses the config as a whole.
   */
  certificate: z.strictObject({ own: z.string(), keyId: z.string(), keyFile: z.string() }).optional(),
  clearText: z.enum(["block", "allow"]),
  suite: z.string(),
  ikeProposals: proposals,
  childProposals: proposals,
  ikeSeconds: seconds,
  childSeconds: seconds,
  deadSeconds: seconds,
});

export const vpnConfigSchema = z.strictObject({
  tunnels: z.record(z.string(), tunnelConfigSchema),
  /** Left out: nobody calls in. An agent that does not know it refuses the config as a whole. */
  people: z.record(z.string(), peopleConfigSchema).optional(),
});

export type VpnConfig = z.infer<typeof vpnConfigSchema>;
export type PeopleConfig = z.infer<typeof peopleConfigSchema>;
export type PersonConfig = PeopleConfig["persons"][string];
export type TunnelConfig = z.infer<typeof tunnelConfigSchema>;
