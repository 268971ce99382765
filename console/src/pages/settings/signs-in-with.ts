import type { Answer } from "../../api/client.ts";

/** What a person shows to sign in: any second factor counts, and an administrator can take each of them away. */
export function signsInWith(
  user: Pick<Answer<"listUsers">["items"][number], "secondFactor" | "passkeys">,
): "withPassword" | "withCode" | "withPasskey" | "withCodeOrPasskey" {
  if (user.passkeys === 0) return user.secondFactor ? "withCode" : "withPassword";
  return user.secondFactor ? "withCodeOrPasskey" : "withPasskey";
}
