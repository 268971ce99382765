import type { RouteName } from "@holdfast/core/api/route.ts";
import { refuse } from "./answer.ts";
import type { MockHandler } from "./call.ts";

const NONE = "The demonstration without a server keeps no secrets.";

/** The console has no page of secrets: here there are none, and none can be made. */
export const SECRET_HANDLERS = {
  listSecrets: () => ({ status: 200, body: { items: [], nextCursor: null } }),
  putSecret: () => refuse("secret.key_missing", NONE),
  deleteSecret: () => refuse("resource.not_found", NONE),
  rotateSecret: () => refuse("resource.not_found", NONE),
  rekeySecrets: () => refuse("secret.key_missing", NONE),
} as const satisfies Partial<Record<RouteName, MockHandler>>;
