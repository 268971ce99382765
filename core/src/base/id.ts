import type { Brand } from "./brand.ts";

/**
 * The register of ids, alphabetical and append-only. All are UUIDs in text form; new ones are UUIDv7, so they sort by time.
 * Casting happens at the doors only: where a row, a message or a request is parsed.
 */
export type AlertId = Brand<string, "AlertId">;
export type ApplyId = Brand<string, "ApplyId">;
export type ChangeId = Brand<string, "ChangeId">;
export type DocumentId = Brand<string, "DocumentId">;
export type InstanceId = Brand<string, "InstanceId">;
export type PasskeyId = Brand<string, "PasskeyId">;
export type PlanId = Brand<string, "PlanId">;
/** One host transaction: the idempotency key and the thread through every log line. */
export type RequestId = Brand<string, "RequestId">;
export type RolloutId = Brand<string, "RolloutId">;
export type SecretId = Brand<string, "SecretId">;
export type ServerId = Brand<string, "ServerId">;
export type TokenId = Brand<string, "TokenId">;
export type UserId = Brand<string, "UserId">;

/** Rises with every claim of a server's work; the agent refuses a lower one, durably. */
export type Fence = Brand<number, "Fence">;
/** Counts the confirmed states of a server; 0 is what was found at enrolment. */
export type Generation = Brand<number, "Generation">;
/** Lower-case hex SHA-256 of a canonical JSON text. */
export type Digest = Brand<string, "Digest">;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** True for the canonical lower-case text form of a UUID; nothing else is accepted as an id from outside. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
