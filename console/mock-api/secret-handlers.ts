import type { RouteName } from "@holdfast/core/api/route.ts";
import type { Secret } from "@holdfast/core/api/secret.ts";
import { refuse } from "./answer.ts";
import type { MockCall, MockHandler } from "./call.ts";

function secretOf({ state, params }: MockCall): Secret {
  const name = params["name"] ?? "";
  return state.secrets.find((one) => one.name === name) ?? refuse("resource.not_found", `There is no secret ${name}.`);
}

/** Values are forgotten at once; the fingerprint is invented. */
export const SECRET_HANDLERS = {
  listSecrets: ({ state }) => ({ status: 200, body: { items: state.secrets, nextCursor: null } }),
  putSecret: ({ state, params, user, ifMatch, nowMs }) => {
    const name = params["name"] ?? "";
    const at = state.secrets.findIndex((one) => one.name === name);
    const before = state.secrets[at];
    if (ifMatch !== (before?.etag ?? "0")) return refuse("etag.moved", `${name} has another version now.`);
    const version = (before?.versions.length ?? 0) + 1;
    const secret: Secret = {
      name,
      kind: "written",
      versions: [
        ...(before?.versions ?? []),
        {
          version,
          fingerprint: `7e57${String(version).padStart(8, "0")}`,
          madeBy: user.name,
          madeAt: new Date(nowMs).toISOString(),
          dueAt: null,
          certificate: null,
        },
      ],
      usedBy: before?.usedBy ?? [],
      etag: String(version),
    };
    if (at >= 0) state.secrets.splice(at, 1, secret);
    else state.secrets.push(secret);
    return { status: 200, body: secret };
  },
  deleteSecret: (call) => {
    const secret = secretOf(call);
    if (secret.usedBy.length > 0) return refuse("secret.in_use", `${secret.name} is named by a document.`);
    call.state.secrets.splice(call.state.secrets.indexOf(secret), 1);
    return { status: 200, body: { done: true } };
  },
  rotateSecret: () => refuse("secret.key_missing", "The demonstration without a server makes no keys."),
  rekeySecrets: () => refuse("secret.key_missing", "The demonstration without a server has no key-encryption key."),
} as const satisfies Partial<Record<RouteName, MockHandler>>;
