import { z } from "zod";

/**
 * `current`: it obeys the key of now. `behind`: an older one, and is led to it when its agent connects. `too_old`: its agent cannot be led: upgrade
 * it. `not_seen`: it has not said since it was enrolled. `other`: a key that is none of this house; enrol it again.
 */
export const KEY_STANDINGS = ["current", "behind", "too_old", "not_seen", "other"] as const;
export type KeyStanding = (typeof KEY_STANDINGS)[number];

export const commandKeySchema = z.object({
  keyId: z.string(),
  keys: z.array(z.string()).describe("The ids of all that there were, the oldest first"),
  servers: z.array(
    z.object({
      server: z.string(),
      standing: z.enum(KEY_STANDINGS),
      keyId: z.string().nullable(),
      connected: z.boolean(),
    }),
  ),
});
export type CommandKeyState = z.infer<typeof commandKeySchema>;
