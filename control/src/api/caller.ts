import type { Grant } from "@holdfast/core/access/grant.ts";
import type { Permission } from "@holdfast/core/api/account.ts";
import type { TokenId, UserId } from "@holdfast/core/base/id.ts";
import type { Actor } from "../store/actor.ts";
import type { TokenRow } from "../store/tables.ts";

/** Who asks, with what they may do now: their grants, cut to the token's permissions. */
export interface Caller {
  readonly userId: UserId;
  readonly userName: string;
  readonly tokenId: TokenId;
  readonly via: "cookie" | "session" | "token";
  /** What was shown for the session, or for the one that the token was made with. */
  readonly openedWith: TokenRow["opened_with"];
  readonly mustChangePassword: boolean;
  readonly secondFactor: boolean;
  readonly passkeys: number;
  /** Seconds since a second factor was shown in this session; null: never. */
  readonly freshSeconds: number | null;
  readonly expiresAt: Date | null;
  /** Of a browser session: what proves that a request comes from our own page. */
  readonly csrfToken: string | null;
  readonly grants: readonly Grant[];
  /** How far the token that is used reaches; tokens made with it reach no further. */
  readonly reach: Pick<Grant, "scope" | "domains">;
  /** This request's own id: X-Request-Id of its answer, trace_id in the logs. */
  readonly traceId: string;
  /** This request's own span; null where it is not traced. */
  readonly traceparent: string | null;
  /** For the audit log. */
  readonly actor: Actor;
}

/** The permissions that are held anywhere. */
export function permissionsOf(caller: Caller): readonly Permission[] {
  return [...new Set(caller.grants.map((grant) => grant.permission))];
}
