import type { House } from "../house.ts";
import { refuse } from "./refused.ts";

/** The hash of a new password; refused while too many others wait for theirs. */
export async function hashed(house: House, password: string): Promise<string> {
  return (
    (await house.passwords.hash(password)) ??
    refuse("account.busy", "Many people are signing in at this moment.", { retryAfterSeconds: 3 })
  );
}
