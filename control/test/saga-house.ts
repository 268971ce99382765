import { generateKeyPairSync } from "node:crypto";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import type {
  ApplyId,
  ChangeId,
  Digest,
  Generation,
  InstanceId,
  PlanId,
  RolloutId,
  ServerId,
} from "@holdfast/core/base/id.ts";
import { DEFAULT_WAVES, type WaveSettings } from "@holdfast/core/compose/floor-settings.ts";
import type { Probe, ProbeResult } from "@holdfast/core/plan/probe.ts";
import { type TestDatabase, withDatabase } from "@holdfast/testkit/database.ts";
import { type AgentIdentity, SimulatedAgent } from "@holdfast/testkit/simulated-agent/agent.ts";
import { enrol } from "@holdfast/testkit/simulated-agent/enrolment.ts";
import { type StoredHouse, storedHouse } from "@holdfast/testkit/stored-house.ts";
import pino from "pino";
import { anchorFile } from "../src/audit/anchor-file.ts";
import { headSigner } from "../src/audit/checkpoint.ts";
import { auditWitness } from "../src/audit/witness.ts";
import type { Authority } from "../src/authority/authority.ts";
import { startWork, type Work } from "../src/instance/work.ts";
import { beginRollback } from "../src/saga/begin.ts";
import { keySource } from "../src/secrets/key-source.ts";
import { SecretStore } from "../src/secrets/secret-store.ts";
import { getApply, listApplies, listApplyEvents } from "../src/store/applies.ts";
import { LEASE_MS } from "../src/store/apply-claim.ts";
import { insertReady, setWish } from "../src/store/apply-move.ts";
import type { Database } from "../src/store/database.ts";
import { insertEnrolmentToken } from "../src/store/enrolment.ts";
import { listHostTransactions } from "../src/store/host-transactions.ts";
import { newId } from "../src/store/new-id.ts";
/** A whole control plane in this process, real database and real TLS, with simulated agents: what the saga's tests stand on. */
import { getPlan, insertPlan, type PlanHead } from "../src/store/plans.ts";
import { getRollout, insertRollout, setTargetApply } from "../src/store/rollouts.ts";
import { getServer, insertServer } from "../src/store/servers.ts";
import type { ApplyRow, HostTransactionRow, RolloutRow, ServerRow, Wish } from "../src/store/tables.ts";
import { NO_TRACES, type Traces } from "../src/trace/traces.ts";
import { checkInvariants } from "./invariants.ts";
import { type SignedHouse, signedHouse } from "./signed-house.ts";

const log = pino({ level: process.env["HOLDFAST_TEST_LOG"] ?? "silent" });

export interface Instance extends Work {
  readonly id: InstanceId;
  readonly database: Database;
}

export interface SagaHouse extends Omit<StoredHouse, "apply" | "instance"> {
  readonly test: TestDatabase;
  readonly authority: Authority;
  readonly signing: SignedHouse;
  /** What inbound probes see, by port. */
  readonly inbound: { see: (port: number) => ProbeResult };
  instance(
    database?: Database,
    options?: { readonly approvalRequired?: boolean; readonly traces?: Traces },
  ): Promise<Instance>;
  /** An enrolled server whose simulated agent dials this instance. */
  agent(
    name: string,
    instance: Instance,
    options?: { readonly windowMs?: number },
  ): Promise<{ readonly server: ServerId; readonly agent: SimulatedAgent }>;
  plan(server: ServerId, over?: PlanOver): Promise<PlanHead>;
  apply(server: ServerId, over?: PlanOver): Promise<ApplyRow>;
  rollback(apply: ApplyId, over?: PlanOver): Promise<ApplyRow>;
  /** A rollout of one change over these servers, one wave after the other. */
  rollout(waves: readonly (readonly ServerId[])[], over?: RolloutOver): Promise<RolloutId>;
  /** The same change on the same server once more. */
  retry(apply: ApplyRow): Promise<RolloutId>;
  readRollout(id: RolloutId): Promise<RolloutRow>;
  appliesOf(id: RolloutId): Promise<readonly ApplyRow[]>;
  wish(apply: ApplyId, wish: Wish, reason?: string): Promise<void>;
  read(apply: ApplyId): Promise<ApplyRow>;
  sent(apply: ApplyId): Promise<readonly HostTransactionRow[]>;
  readServer(server: ServerId): Promise<ServerRow>;
  /** Waits until the row says so; a test that waits in vain says what it saw. */
  until(apply: ApplyId, predicate: (row: ApplyRow) => boolean): Promise<ApplyRow>;
  ended(apply: ApplyId): Promise<ApplyRow>;
  /** The invariants that hold in the rows and in the ledgers after any history. */
  check(): Promise<void>;
}

export interface PlanOver {
  readonly policy?: string;
  /** The span of the request that it begins with. */
  readonly traceparent?: string;
  readonly text?: string;
  readonly probes?: readonly Probe[];
  readonly soakSeconds?: number;
  readonly windowSeconds?: number;
  readonly touches?: boolean;
  readonly person?: boolean;
  readonly baseGeneration?: number;
}

export interface RolloutOver extends PlanOver {
  readonly settings?: Partial<WaveSettings>;
  /** Rolls these applies back. */
  readonly back?: readonly ApplyRow[];
}

/** Longer than a lease: where nothing else helps, its end does. */
const WAIT_MS = 3 * LEASE_MS;

export async function withSagaHouse(body: (house: SagaHouse) => Promise<void>): Promise<void> {
  await withDatabase(async (test) => {
    const folder = await mkdtemp(join(tmpdir(), "holdfast-saga-"));
    const closing: (() => Promise<void> | void)[] = [];
    try {
      const house = await openHouse(test, folder, closing);
      await body(house);
      await house.check();
    } finally {
      for (const close of closing.reverse()) await close();
      await rm(folder, { recursive: true, force: true });
    }
  });
}

async function openHouse(
  test: TestDatabase,
  folder: string,
  closing: (() => Promise<void> | void)[],
): Promise<SagaHouse> {
  const stored = await storedHouse(test.app);
  const signing = await signedHouse(folder, test);
  closing.push(() => signing.close());
  const { authority } = signing;
  const inbound: SagaHouse["inbound"] = { see: () => "open" };
  const agents: SimulatedAgent[] = [];
  let plans = 0;

  const house: SagaHouse = {
    ...stored,
    test,
    authority,
    signing,
    inbound,
    async instance(database = test.app, options = {}) {
      const id: InstanceId = newId();
      const witness = auditWitness({
        database,
        signer: headSigner(authority.keyFor("audit-head-v1")),
        file: anchorFile(join(folder, `audit-heads-${id}.jsonl`)),
        nowMs: () => Date.now(),
        log,
      });
      const work = await startWork({
        witness,
        database,
        target: test.appTarget,
        authority,
        secrets: new SecretStore(keySource({ kind: "file" }, folder)),
        instanceId: id,
        address: "test",
        agentPort: { host: "127.0.0.1", port: 0, names: ["127.0.0.1"] },
        approvalRequired: options.approvalRequired ?? false,
        log,
        traces: options.traces ?? NO_TRACES,
        vantage: async (_server, _address, port) => inbound.see(port),
      });
      let closed: Promise<void> | null = null;
      const close: Instance["close"] = (how) => (closed ??= work.close(how));
      closing.push(() => close("drop"));
      return { id, database, ...work, close };
    },
    async agent(name, instance, options = {}) {
      const server: ServerId = newId();
      const token = randomBytes(16).toString("hex");
      await stored.do(async (tx) => {
        await insertServer(tx, server, name, stored.by);
        await insertEnrolmentToken(
          tx,
          {
            id: newId(),
            serverId: server,
            secretSha256: createHash("sha256").update(token).digest(),
            createdBy: stored.author,
            seconds: 3600,
          },
          stored.by,
        );
      });
      const { answer, tlsKey, receiptKey } = await enrol({
        port: instance.gateway.port,
        caCertificate: authority.certificates.certificatePem,
        token,
      });
      const identity: AgentIdentity = {
        serverId: server,
        tlsKey,
        receiptKey,
        certificate: answer.certificate,
        caCertificate: answer.caCertificate,
      };
      const agent = new SimulatedAgent({ port: instance.gateway.port, identity, ...options });
      agents.push(agent);
      closing.push(() => agent.stop());
      agent.start();
      return { server, agent };
    },
    async plan(server, over = {}) {
      plans += 1;
      const { id: changeId, revisions } = await stored.change(over.text ?? `text ${plans}`, over.policy ?? "web");
      return insertPlanOf(server, changeId, revisions, "forward", over);
    },
    async apply(server, over = {}) {
      const plan = await house.plan(server, over);
      return stored.do(async (tx) => {
        const rolloutId: RolloutId = newId();
        await insertRollout(
          tx,
          {
            id: rolloutId,
            changeId: plan.change_id,
            kind: "forward",
            settings: { ...DEFAULT_WAVES },
            requestedBy: stored.author,
            targets: [{ serverId: server, wave: 0, position: 0, planId: plan.id, applyId: null }],
            traceparent: over.traceparent ?? null,
          },
          stored.by,
        );
        const id: ApplyId = newId();
        const ready = await insertReady(
          tx,
          {
            id,
            changeId: plan.change_id,
            rolloutId,
            serverId: server,
            planId: plan.id,
            wave: 0,
            revisions: plan.revisions,
            requestedBy: stored.author,
            retryOf: null,
          },
          stored.by,
        );
        await setTargetApply(tx, rolloutId, server, id);
        return ready;
      });
    },
    async rollback(id, over = {}) {
      const apply = await house.read(id);
      const plan = await insertPlanOf(apply.server_id, apply.change_id, [], "rollback", over);
      return stored.do(async (tx) => {
        const targets = [{ serverId: apply.server_id, wave: 0, position: 0, planId: plan.id, applyId: apply.id }];
        await insertRollout(
          tx,
          {
            id: newId<RolloutId>(),
            changeId: plan.change_id,
            kind: "rollback",
            settings: { ...DEFAULT_WAVES },
            requestedBy: stored.author,
            targets,
          },
          stored.by,
        );
        return beginRollback(tx, apply, plan, { traceId: null, traceparent: null, servers: 1 }, stored.by);
      });
    },
    async rollout(waves, over = {}) {
      plans += 1;
      const { id: changeId, revisions } =
        over.back?.[0] === undefined
          ? await stored.change(over.text ?? `text ${plans}`, over.policy ?? "web")
          : { id: over.back[0].change_id, revisions: [] };
      const kind = over.back === undefined ? "forward" : "rollback";
      const rows = await Promise.all(
        waves.flat().map((server) => insertPlanOf(server, changeId, revisions, kind, over)),
      );
      const targets = waves.flatMap((servers, wave) =>
        servers.flatMap((serverId, position) => {
          const plan = rows.find((each) => each.server_id === serverId);
          return plan === undefined
            ? []
            : [
                {
                  serverId,
                  wave,
                  position,
                  planId: plan.id,
                  applyId: over.back?.find((each) => each.server_id === serverId)?.id ?? null,
                },
              ];
        }),
      );
      const settings = { ...DEFAULT_WAVES, ...over.settings };
      const rollout = {
        id: newId<RolloutId>(),
        changeId,
        kind,
        settings,
        requestedBy: stored.author,
        targets,
        traceparent: over.traceparent ?? null,
      } as const;
      await stored.do((tx) => insertRollout(tx, rollout, stored.by));
      return rollout.id;
    },
    async retry(apply) {
      const plan = await insertPlanOf(apply.server_id, apply.change_id, apply.revisions, "forward", {});
      const targets = [{ serverId: apply.server_id, wave: 0, position: 0, planId: plan.id, applyId: null }];
      const rollout = {
        id: newId<RolloutId>(),
        changeId: apply.change_id,
        kind: "forward",
        settings: { ...DEFAULT_WAVES },
        requestedBy: stored.author,
        targets,
      } as const;
      await stored.do((tx) => insertRollout(tx, rollout, stored.by));
      return rollout.id;
    },
    async readRollout(id) {
      const row = await getRollout(test.app, id);
      if (row === undefined) throw new Error(`no rollout ${id}`);
      return row;
    },
    appliesOf: (id) => listApplies(test.app, { rolloutId: id, limit: 100 }),
    async wish(id, wish, reason = "because") {
      const { request_id } = await house.read(id);
      await stored.do((tx) => setWish(tx, id, request_id, wish, stored.author, reason, stored.by));
    },
    async read(id) {
      const row = await getApply(test.app, id);
      if (row === undefined) throw new Error(`no apply ${id}`);
      return row;
    },
    sent: (id) => listHostTransactions(test.app, id),
    async readServer(id) {
      const row = await getServer(test.app, id);
      if (row === undefined) throw new Error(`no server ${id}`);
      return row;
    },
    async until(id, predicate) {
      const deadline = performance.now() + WAIT_MS;
      for (;;) {
        const row = await house.read(id);
        if (predicate(row)) return row;
        if (performance.now() > deadline) {
          const events = (await listApplyEvents(test.app, id)).map(
            (event) => `${event.to_state}/${event.phase ?? ""} ${event.code ?? ""}`,
          );
          throw new Error(
            `apply is still ${row.state}/${row.phase ?? ""} ${row.code ?? ""} lease ${row.lease_owner ?? "none"} fence ${row.fence ?? ""}\n${events.join("\n")}\ncalls: ${agents.map((agent) => agent.calls.join(" ")).join(" | ")}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 15));
      }
    },
    ended: (id) =>
      house.until(
        id,
        (row) =>
          row.finished_at !== null && row.state !== "APPLYING" && row.state !== "ROLLBACKING" && row.state !== "READY",
      ),
    check: () => checkInvariants(test, agents),
  };

  const insertPlanOf = async (
    server: ServerId,
    changeId: ChangeId,
    revisions: PlanHead["revisions"],
    kind: PlanHead["kind"],
    over: PlanOver,
  ): Promise<PlanHead> => {
    const touches = over.touches ?? false;
    const config: Json = {
      server,
      number: plans,
      domains: {},
      trial: {
        reconnectSeconds: 15,
        soakSeconds: over.soakSeconds ?? 0,
        windowSeconds: over.windowSeconds ?? 10,
        confirm: over.person === true ? "person_when_management_path" : "machine",
      },
    };
    const text = canonicalJson(config);
    const digest = createHash("sha256").update(text).digest("hex") as Digest;
    const { generation } = await house.readServer(server);
    const id = newId<PlanId>();
    await insertPlan(test.app, {
      id,
      change_id: changeId,
      server_id: server,
      kind,
      status: "planned",
      config: text,
      config_digest: digest,
      provenance: [],
      revisions,
      before_revisions: [],
      plan_digest: digest,
      base_digest: null,
      base_generation: (over.baseGeneration ?? generation) as Generation,
      steps: [],
      native_diff: {},
      findings: [],
      probes: over.probes ?? [],
      touches_management_path: touches,
      created_by: stored.author,
    });
    const plan = await getPlan(test.app, id);
    if (plan === undefined) throw new Error(`plan ${id} was not written`);
    return plan;
  };
  return house;
}

/** A key of nobody's. */
export function freshKey() {
  return generateKeyPairSync("ed25519").privateKey;
}
