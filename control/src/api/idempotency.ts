import { createHmac } from "node:crypto";
import type { RouteName } from "@holdfast/core/api/route.ts";
import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Database } from "../store/database.ts";
import { answerKey, claimKey } from "../store/idempotency-keys.ts";
import { StoreFailure } from "../store/store-failure.ts";
import { transaction } from "../store/transaction.ts";
import type { Caller } from "./caller.ts";
import { Refused, refuse } from "./refused.ts";
import { forgetUnansweredKey } from "./store/unanswered-key.ts";

export interface Recorded {
  readonly status: number;
  readonly value: Json;
}

export interface IdempotentRequest {
  readonly database: Database;
  readonly caller: Caller;
  readonly route: RouteName;
  readonly key: string;
  /** The path with its ids: the same body for another object is another request. */
  readonly path: string;
  /** The body as text. Of it a MAC is kept: by a plain digest whoever has the database could try out a password that stands alone in it. */
  readonly body: string;
  readonly macKey: Buffer;
  /** The answer holds a secret: it is not kept. */
  readonly secret: boolean;
}

/**
 * Does the work once for each key. The key is claimed before and answered after: if this process dies between, a repetition hears that the
 * outcome is unknown, and never does it again by itself.
 */
export async function once(
  request: IdempotentRequest,
  work: () => Promise<Recorded>,
): Promise<Recorded & { readonly repeated: boolean }> {
  if (!/^[\x21-\x7e]{8,200}$/.test(request.key))
    refuse("idempotency.key_invalid", "The key is too short, too long, or holds other characters.");
  const { database, caller, key } = request;
  const body = createHmac("sha256", request.macKey).update(`${request.path}\n${request.body}`, "utf8").digest();
  const claim = await transaction(database, (tx) => claimKey(tx, caller.userId, key, request.route, body));
  if (!claim.ok) throw claim.error;
  switch (claim.value.kind) {
    case "answered": {
      if (request.secret)
        refuse("idempotency.secret_shown_once", "This was done when the key was first sent; its answer held a secret.");
      return { status: claim.value.status, value: claim.value.response, repeated: true };
    }
    case "in_progress":
      return refuse(
        "idempotency.in_progress",
        "The first request with this key has not been answered yet, or its answer was lost.",
        {
          remedy:
            "Ask again in a moment. If it stays so, read the resource to see what became of it, then use a new key.",
        },
      );
    case "mismatch":
      return refuse("idempotency.other_request", "The key was sent before with another body or to another address.");
    case "new":
      break;
  }
  let done: Recorded;
  try {
    done = await work();
  } catch (error) {
    // A refusal changed nothing, so the key is free for a corrected request. Anything else may have happened: the key stays taken.
    const nothingDone =
      error instanceof Refused || (error instanceof StoreFailure && error.code !== "store.commit_unknown");
    if (nothingDone) await transaction(database, (tx) => forgetUnansweredKey(tx, caller.userId, key));
    throw error;
  }
  const kept: Json = request.secret ? null : (JSON.parse(JSON.stringify(done.value)) as Json);
  const answered = await transaction(database, (tx) => answerKey(tx, caller.userId, key, done.status, kept));
  if (!answered.ok) throw answered.error;
  return { ...done, repeated: false };
}
