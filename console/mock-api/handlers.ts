import type { RouteName } from "@holdfast/core/api/route.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import { DOMAIN_LANGUAGES } from "@holdfast/domains/registry.ts";
import { unifiedDiff } from "../src/editor/unified-diff.ts";
import { ACCOUNT_HANDLERS } from "./account-handlers.ts";
import { ALERT_HANDLERS } from "./alert-handlers.ts";
import { type MockAnswer, refuse } from "./answer.ts";
import { APPLY_HANDLERS } from "./apply-handlers.ts";
import type { MockHandler } from "./call.ts";
import { CHANGE_HANDLERS } from "./change-handlers.ts";
import { documentSchema } from "./document-schema.ts";
import { OBJECTIVE_HANDLERS } from "./objective-handlers.ts";
import { PASSKEY_HANDLERS } from "./passkey-handlers.ts";
import { PERSON_CERTIFICATE_HANDLERS } from "./person-certificate-handlers.ts";
import { SECRET_HANDLERS } from "./secret-handlers.ts";
import { SERVER_HANDLERS } from "./server-handlers.ts";
import { SIGN_IN_HANDLERS } from "./sign-in-handlers.ts";
import type { MockDocument, MockState } from "./state.ts";
import { policiesOf } from "./view.ts";

const ok = (body: unknown): MockAnswer => ({ status: 200, body });
const page = (items: readonly unknown[]): MockAnswer => ok({ items, nextCursor: null });

function documentOf(state: MockState, kind: string, name: string): MockDocument {
  return (
    state.documents.find((one) => one.kind === kind && one.name === name) ??
    refuse("resource.not_found", `There is no ${kind}/${name}.`)
  );
}

function documentSummary(state: MockState, { kind, name, revisions }: MockDocument): Record<string, unknown> {
  const head = revisions.at(-1);
  const inForceOn = state.servers.slice(0, 50).flatMap((server) =>
    policiesOf(state, server)
      .filter((policy) => policy.kind === kind && policy.name === name)
      .map(({ revision }) => ({ server: server.name, revision })),
  );
  return {
    kind,
    name,
    revision: revisions.length,
    digest: `d${revisions.length}`,
    author: head?.author ?? "",
    at: head?.at ?? "",
    deleted: head?.text === null,
    inForceOn,
  };
}

const DOCUMENT_HANDLERS = {
  listDocuments: ({ state, query }) =>
    page(
      state.documents
        .filter(({ kind }) => kind === (query.get("kind") ?? kind))
        .map((one) => documentSummary(state, one)),
    ),
  getDocument: ({ state, params }) => {
    const document = documentOf(state, params["kind"] ?? "", params["name"] ?? "");
    return ok({
      ...documentSummary(state, document),
      text: document.revisions.at(-1)?.text ?? null,
      etag: String(document.revisions.length),
    });
  },
  listRevisions: ({ state, params }) =>
    page(
      documentOf(state, params["kind"] ?? "", params["name"] ?? "")
        .revisions.toReversed()
        .map((one) => ({ ...one, digest: `d${one.revision}` })),
    ),
  diffRevisions: ({ state, params, query }) => {
    const { revisions } = documentOf(state, params["kind"] ?? "", params["name"] ?? "");
    const [from, to] = [Number(query.get("from")), Number(query.get("to"))];
    return ok({ from, to, diff: unifiedDiff(revisions[from - 1]?.text ?? "", revisions[to - 1]?.text ?? "") });
  },
  validateDocuments: ({ body }) => {
    const { documents, findings } = parseDocuments(String(body["text"]), { domains: DOMAIN_LANGUAGES });
    return ok({ documents: documents.map(({ kind, name }) => ({ kind, name })), findings });
  },
  getSchema: ({ params }) => ok(documentSchema(params["kind"] ?? "")),
} as const satisfies Partial<Record<RouteName, MockHandler>>;

export const HANDLERS: Readonly<Record<RouteName, MockHandler>> = {
  ...ACCOUNT_HANDLERS,
  ...PASSKEY_HANDLERS,
  ...SIGN_IN_HANDLERS,
  ...SERVER_HANDLERS,
  ...DOCUMENT_HANDLERS,
  ...CHANGE_HANDLERS,
  ...SECRET_HANDLERS,
  ...PERSON_CERTIFICATE_HANDLERS,
  ...APPLY_HANDLERS,
  ...ALERT_HANDLERS,
  ...OBJECTIVE_HANDLERS,
  events: () => refuse("request.unknown_route", "The stream of events is served by whoever holds the socket."),
  watchPackets: () => refuse("request.unknown_route", "The stream of packets is served by whoever holds the socket."),
  useTool: () => refuse("request.unknown_route", "The stream of a tool is served by whoever holds the socket."),
  openapi: () => ok({ openapi: "3.1.0" }),
};
