import { PERMISSIONS } from "@holdfast/core/api/account.ts";
import type { InstanceId, TokenId, UserId } from "@holdfast/core/base/id.ts";
import { secretSha256 } from "../api/credential.ts";
import { userActor } from "../store/actor.ts";
import { newId } from "../store/new-id.ts";
import type { TokenRow, UserRow } from "../store/tables.ts";
import { insertToken } from "../store/tokens.ts";
import type { Transaction } from "../store/transaction.ts";
import { EVERYTHING } from "../store/users.ts";
import { newSecret } from "./secret.ts";
import { SESSION_ABSOLUTE_MS } from "./session.ts";

export interface OpenedSession {
  readonly userId: UserId;
  readonly userName: string;
  readonly mustChangePassword: boolean;
  readonly secondFactor: boolean;
  readonly secret: string;
  readonly tokenId: TokenId;
  readonly seconds: number;
}

/** What somebody showed beside who they are. */
export type SignInFactor = "none" | "totp" | "recovery" | "passkey";

export interface Shown {
  readonly openedWith: TokenRow["opened_with"];
  readonly factor: SignInFactor;
  /** Who it is at the provider, where that has said it. */
  readonly subject?: string;
}

/**
 * Signs somebody in who has shown everything that was asked for; with it, that they did is written down. The secret is one that nobody has
 * seen: whatever a browser had before, nothing of it is taken over.
 */
export async function openSession(
  tx: Transaction,
  user: UserRow,
  { openedWith, factor, subject }: Shown,
  source: string,
  instanceId: InstanceId,
): Promise<OpenedSession> {
  const secret = newSecret();
  const tokenId: TokenId = newId();
  const seconds = SESSION_ABSOLUTE_MS / 1000;
  tx.audit({
    actor: `user/${user.id}`,
    source,
    action: "session.asked",
    object: `account/${user.name}`,
    resultCode: "ok",
    new: { factor, ...(openedWith === "oidc" ? { by: "oidc", subject: subject ?? null } : {}) },
  });
  const token = {
    id: tokenId,
    userId: user.id,
    kind: "session",
    name: openedWith === "oidc" ? "sign-in by the provider" : "sign-in",
    secretSha256: secretSha256(secret),
    permissions: PERMISSIONS,
    scope: EVERYTHING,
    domains: null,
    seconds,
    openedWith,
    isFresh: factor !== "none",
  } as const;
  await insertToken(tx, token, userActor(user.id, source, instanceId));
  return {
    userId: user.id,
    userName: user.name,
    mustChangePassword: openedWith === "password" && user.must_change,
    secondFactor: user.totp_since !== null,
    secret,
    tokenId,
    seconds,
  };
}
