/** S13, S16: each role at each endpoint, asked about what is theirs and about what is somebody else's. */
import { PERMISSIONS } from "@holdfast/core/api/account.ts";
import { type Route, type RouteName, ROUTES } from "@holdfast/core/api/route.ts";
import { expect, test } from "vitest";
import { newId } from "../src/store/new-id.ts";
import { sql } from "../src/store/sql.ts";
import { bodyOf, planned, policy } from "./api-changes.ts";
import { type Answer, type ApiHouse, type Asking, withApi } from "./api-house.ts";
import { golden } from "./golden-file.ts";
import { twoServers, WEB } from "./two-servers.ts";

const NAMES = Object.keys(ROUTES) as RouteName[];
/** Some nine hundred requests. */
const MATRIX_MS = 240_000;

/** What one side of the house is called: `own` is within the scope of every role that asks, `other` is outside. */
interface Side {
  readonly server: string;
  readonly role: string;
  readonly draft: string;
  readonly draftDigest: string;
  readonly plans: ReturnType<typeof bodyOf>;
  readonly back: ReturnType<typeof bodyOf>;
  readonly change: string;
  readonly rollout: string;
  readonly apply: string;
  readonly user: string;
  readonly alert: string;
}

/** Says of an endpoint that nothing it is asked about has a place: what everybody with the permission does is the same everywhere. */
const PLACELESS = "placeless";

type Ask = (side: Side, count: number) => Asking;

const onServer =
  (body?: object): Ask =>
  (side) => ({ params: { name: side.server }, ...(body === undefined ? {} : { body }) });
const onChange =
  (body?: object): Ask =>
  (side) => ({ params: { id: side.change }, ...(body === undefined ? {} : { body }) });
const onRollout =
  (body?: object): Ask =>
  (side) => ({ params: { id: side.rollout }, ...(body === undefined ? {} : { body }) });
const onApply =
  (body?: object): Ask =>
  (side) => ({ params: { id: side.apply }, ...(body === undefined ? {} : { body }) });
const plain =
  (asking: Asking): Ask =>
  () =>
    asking;

/** One row for every endpoint: without it, or with one that is no endpoint, this does not compile. */
const ASKED = {
  login: PLACELESS,
  signInMethods: PLACELESS,
  beginOidc: PLACELESS,
  finishOidc: PLACELESS,
  finishOidcCode: PLACELESS,
  logout: PLACELESS,
  me: PLACELESS,
  changePassword: PLACELESS,
  offerTotp: PLACELESS,
  confirmTotp: PLACELESS,
  removeTotp: PLACELESS,
  beginPasskeySignIn: PLACELESS,
  signInWithPasskey: PLACELESS,
  listPasskeys: PLACELESS,
  beginPasskey: PLACELESS,
  addPasskey: PLACELESS,
  renamePasskey: PLACELESS,
  removePasskey: PLACELESS,
  beginStepUp: PLACELESS,
  stepUp: PLACELESS,
  listSessions: PLACELESS,
  revokeSession: PLACELESS,
  listIdentities: PLACELESS,
  listTokens: PLACELESS,
  createToken: (side) => ({ body: { name: "t", permissions: ["view"], scope: { role: side.role } } }),
  revokeToken: PLACELESS,
  listUsers: PLACELESS,
  createUser: (_, count) => ({ body: { name: `new-${count}`, permissions: [] } }),
  setUserPermissions: (side) => ({
    params: { name: side.user },
    body: { permissions: [] },
    headers: { "if-match": '"x"' },
  }),
  resetUserPassword: (side) => ({ params: { name: side.user }, body: {} }),
  disableUser: (side) => ({ params: { name: side.user }, body: {} }),
  enableUser: (side) => ({ params: { name: side.user }, body: {} }),
  resetUserTotp: (side) => ({ params: { name: side.user }, body: {} }),
  listUserSessions: (side) => ({ params: { name: side.user } }),
  revokeUserSession: (side) => ({ params: { name: side.user, id: "01900000-0000-7000-8000-000000000000" } }),
  listUserIdentities: (side) => ({ params: { name: side.user } }),
  linkUser: (side) => ({ params: { name: side.user }, body: { subject: "x" } }),
  unlinkUser: (side) => ({ params: { name: side.user, id: "01900000-0000-7000-8000-000000000000" } }),
  createService: (_, count) => ({ body: { name: `new-${count}` } }),
  createServiceToken: (side) => ({ params: { name: side.user }, body: { name: "t", permissions: ["view"] } }),
  listRoles: PLACELESS,
  saveRole: PLACELESS,
  deleteRole: PLACELESS,

  getCommandKey: PLACELESS,

  listCertificates: (side) => ({ query: { name: side.server } }),
  listServers: (side) => ({ query: { name: side.server } }),
  createServer: (side, count) => ({ body: { name: `new-${count}`, labels: { role: side.role } } }),
  getServer: onServer(),
  enrolServer: onServer({}),
  approveServerKey: onServer({ fingerprint: "00".repeat(32) }),
  pauseServer: onServer({ seconds: 60, reason: "x" }),
  resumeServer: onServer({}),
  unlockServer: onServer({ reason: "x" }),
  // Refused by its body after the gate and the place were asked, so that the servers stay for the other rows.
  releaseServer: onServer({ reason: "x" }),
  getServerConfig: onServer(),
  getServerLive: onServer(),
  listServerApplies: onServer(),
  watchPackets: onServer(),
  listTools: onServer(),
  useTool: onServer({ tool: "resolve", host: "example.org" }),
  actOnTunnel: (side) => ({ params: { name: side.server, tunnel: "pair" }, body: { act: "rekey", preview: true } }),
  explainPacket: onServer({
    direction: "inbound",
    protocol: "tcp",
    source: "203.0.113.9",
    destination: "192.0.2.10",
    port: 1,
  }),

  listDocuments: PLACELESS,
  getDocument: (side) => ({ params: { kind: "Server", name: side.server } }),
  listRevisions: (side) => ({ params: { kind: "Server", name: side.server } }),
  diffRevisions: (side) => ({ params: { kind: "Server", name: side.server }, query: { from: "0", to: "1" } }),
  validateDocuments: plain({ body: { text: policy("x", 1) } }),
  getSchema: plain({ params: { kind: "Policy" } }),

  listChanges: PLACELESS,
  createChange: (side) => ({
    body: { title: "t", documents: [{ text: policy(side.role, 8080).replace("role: web", `role: ${side.role}`) }] },
  }),
  getChange: onChange(),
  editChange: (side) => ({ params: { id: side.draft }, body: {}, headers: { "if-match": '"x"' } }),
  planChange: (side) => ({ params: { id: side.draft }, body: {} }),
  applyChange: (side) => ({ params: { id: side.draft }, body: side.plans }),
  withdrawChange: onChange({}),
  approveChange: (side) => ({ params: { id: side.draft }, body: { digest: side.draftDigest } }),
  withdrawApproval: (side) => ({ params: { id: side.draft }, body: {} }),
  planRollback: onChange({}),
  rollbackChange: (side) => ({ params: { id: side.change }, body: side.back }),

  listRollouts: PLACELESS,
  getRollout: onRollout(),
  pauseRollout: onRollout({}),
  resumeRollout: onRollout({}),
  haltRollout: onRollout({}),

  listApplies: (side) => ({ query: { server: side.server } }),
  getApply: onApply(),
  confirmApply: onApply({}),
  abortApply: onApply({}),
  // A retry of what was applied is refused by its state, after the place was asked.
  retryApply: onApply({}),
  rollbackApply: PLACELESS,
  forceCloseApply: onApply({ reason: "x" }),

  listSecrets: PLACELESS,
  putSecret: PLACELESS,
  deleteSecret: PLACELESS,
  rotateSecret: PLACELESS,
  rekeySecrets: PLACELESS,
  // What is no request is refused after the place was asked, and before: people-certificates.test.ts asks with a good one.
  lookAtPersonRequest: PLACELESS,
  certifyPerson: PLACELESS,
  // Tunnels are seen by everybody.
  listCertifiedPeople: PLACELESS,

  // Lists are cut to what the caller may see; api-alerts.test.ts asks for them.
  listAlerts: PLACELESS,
  listDeliveries: PLACELESS,
  getAlert: (side) => ({ params: { id: side.alert } }),
  acknowledgeAlert: (side) => ({ params: { id: side.alert }, body: {} }),

  // Counted over the servers that the caller may see; api-objectives.test.ts asks it.
  listObjectives: PLACELESS,

  listAudit: (side) => ({ query: { server: side.server } }),
  // A stream, with the same filter and the same questions of access as listAudit; api-audit.test.ts asks it.
  exportAudit: PLACELESS,
  verifyAudit: PLACELESS,
  beginAuditEpoch: PLACELESS,
  doctor: PLACELESS,
  events: PLACELESS,
  openapi: PLACELESS,
} as const satisfies Record<RouteName, Ask | typeof PLACELESS>;

async function sideOf(api: ApiHouse, kim: string, server: string, role: string): Promise<Side> {
  const [apply] = (await api.done(kim, "listApplies", { query: { server } })).items;
  const change = await api.done(kim, "getChange", { params: { id: apply?.changeId ?? "" } });
  const text = policy(role, 8443).replace("role: web", `role: ${role}`);
  const draft = await planned(api, kim, [text], `a draft for ${role}`);
  await api.account(`user-${role}`, []);
  return {
    server,
    role,
    draft: draft.id,
    draftDigest: draft.digest,
    plans: bodyOf(draft),
    back: bodyOf(await api.done(kim, "planRollback", { params: { id: change.id }, body: {} }), "rollback"),
    change: change.id,
    rollout: change.rolloutIds[0] ?? "",
    apply: apply?.id ?? "",
    user: `user-${role}`,
    alert: await alertOn(api, server),
  };
}

async function alertOn({ house }: ApiHouse, server: string): Promise<string> {
  const { id } = await house.database.one<{ id: string }>(sql`
    insert into alerts (id, kind, subject, server_id, message)
    select ${newId()}::uuid, 'drift', 'server/' || id, id, 'It drifts.' from servers where name = ${server} returning id`);
  return id;
}

/** `ok`: done, or refused for its state or body after every question of access; `none`: an empty list; else the refusal's status. */
function cell(answer: Answer): string {
  if (answer.status === 401 || answer.status === 403 || answer.status === 404) {
    // Access is refused by access's own codes, and by "no such thing"; whatever else is 403 is a rule of its own with its own test.
    const code = String(answer.json.code);
    return /^(access\.|resource\.)/.test(code) ? String(answer.status) : code.replace(/^.*\./, "");
  }
  expect(answer.status, JSON.stringify(answer.json)).toBeLessThan(500);
  return Array.isArray(answer.json?.items) && answer.json.items.length === 0 ? "none" : "ok";
}

test(
  "S13 S16: each role at each endpoint, about its own servers and about others'",
  { timeout: MATRIX_MS },
  async () => {
    await withApi(async (api) => {
      const kim = await twoServers(api);
      const own = await sideOf(api, kim, "web-1", "web");
      const other = await sideOf(api, kim, "db-1", "db");
      const roles = (await api.done(kim, "listRoles")).items;
      const callers = [
        ...(await Promise.all(
          roles.map(async (role) => ({
            name: role.name,
            permissions: role.permissions,
            token: await api.account(
              role.name,
              role.permissions.map((permission) => ({ permission, scope: WEB, domains: null })),
            ),
          })),
        )),
        {
          name: "everything",
          permissions: [...PERMISSIONS],
          token: await api.account(
            "everything",
            PERMISSIONS.map((permission) => ({ permission, scope: WEB, domains: null })),
          ),
        },
      ];
      let count = 0;
      const rows: string[] = [
        ["route".padEnd(20), ...callers.map(({ name }) => name.padEnd(20))].join(" ").trimEnd(),
        ["".padEnd(20), ...callers.map(() => `${"own".padEnd(10)}${"other".padEnd(10)}`)].join(" ").trimEnd(),
      ];
      // What ends a server or takes the ground away from under other rows comes last.
      const last: readonly RouteName[] = ["releaseServer"];
      for (const name of [...NAMES.filter((one) => !last.includes(one)), ...last]) {
        const asked: Ask | typeof PLACELESS = ASKED[name];
        if (asked === PLACELESS) continue;
        const { needs }: Route = ROUTES[name];
        const cells: string[] = [];
        for (const { token, permissions, name: who } of callers) {
          const pair: string[] = [];
          for (const side of [own, other]) pair.push(cell(await api.ask(token, name, asked(side, ++count))));
          cells.push(pair.map((one) => one.padEnd(10)).join(""));
          // The rule beside the picture: without the permission both are refused alike, so that nobody learns what is there.
          const holds = needs === "self" || needs === "open" || permissions.some((one) => one === needs);
          if (!holds) expect(pair, `${name} as ${who}`).toEqual(["403", "403"]);
        }
        rows.push([name.padEnd(20), ...cells].join(" ").trimEnd());
      }
      golden("ownership-matrix.txt", `${rows.join("\n")}\n`);
    });
  },
);
