import { PERMISSIONS } from "@holdfast/core/api/account.ts";
import type { InstanceId, TokenId, UserId } from "@holdfast/core/base/id.ts";
import { secretSha256 } from "../api/credential.ts";
import { userActor } from "../store/actor.ts";
import { newId } from "../store/new-id.ts";
import type { UserRow } from "../store/tables.ts";
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

/** Signs somebody in who has shown everything that was asked for; with it, that they did is written down. */
export async function openSession(
  tx: Transaction,
  user: UserRow,
  factor: SignInFactor,
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
    new: { factor },
  });
  const token = {
    id: tokenId,
    userId: user.id,
    kind: "session",
    name: "sign-in",
    secretSha256: secretSha256(secret),
    permissions: PERMISSIONS,
    scope: EVERYTHING,
    domains: null,
    seconds,
    isFresh: factor !== "none",
  } as const;
  await insertToken(tx, token, userActor(user.id, source, instanceId));
  return {
    userId: user.id,
    userName: user.name,
    mustChangePassword: user.must_change,
    secondFactor: user.totp_since !== null,
    secret,
    tokenId,
    seconds,
  };
}
