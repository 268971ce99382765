/**
 * An agent without a machine: dials the control plane over real TLS, serves the real HostService on that connection, answers from a ledger in
 * memory. Faults are asked for by name, one call at a time, so that a test says exactly what breaks and when.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomUUID, sign } from "node:crypto";
import tls from "node:tls";
import { create, fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { sealOpener } from "@holdfast/agent/guard/sealing.ts";
import { type ServedConnection, serveOver } from "@holdfast/agent/rpc/http2-service.ts";
import { canonicalJson } from "@holdfast/core/base/canonical-json.ts";
import type { Lack } from "@holdfast/core/capability/lack.ts";
import { DOMAINS } from "@holdfast/core/domain.ts";
import type { LedgerKind } from "@holdfast/core/ledger/kind.ts";
import {
  type Command,
  CommandSchema,
  type SignedCommand,
  type TunnelCommand,
} from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import {
  HostService,
  type PlanRequest,
  type PlanResponseSchema,
  type WatchEvent,
  WatchEventSchema,
} from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import type { FloorStateSchema } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import type { ReadPacketsRequest, ReadPacketsResponseSchema } from "@holdfast/proto/gen/holdfast/v1/packets_pb.ts";
import type {
  DescribeToolsResponseSchema,
  ToolRequest,
  ToolResponseSchema,
} from "@holdfast/proto/gen/holdfast/v1/tools_pb.ts";
import {
  type Transaction,
  TransactionPhase,
  TransactionSchema,
  type TunnelActResponse,
  TunnelActResponseSchema,
} from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { sealingKeyText } from "@holdfast/proto/wire/sealed-secret.ts";
import { AGENT_SESSION_ALPN, CODE_HEADER, SIGNED_TEXT } from "@holdfast/proto/wire/session.ts";
import { EventQueue } from "./event-queue.ts";
import { SimulatedHeads } from "./kept-heads.ts";
import { last, type LedgerAnswer, type LedgerTransaction, serverIsAfter, SimulatedLedger } from "./ledger.ts";

/** Of a transaction. */
export const METHODS = ["prepare", "execute", "confirm", "abort", "getTransaction"] as const;
export type Method = (typeof METHODS)[number] | "actOnTunnel";

export type WireFault =
  /** It never arrives. */
  | "lose_request"
  /** It is obeyed, and the answer never comes. */
  | "lose_answer"
  /** It is obeyed twice; the second answer is given. */
  | "double"
  /** It is obeyed, and the answer comes late. */
  | "late"
  /** It is obeyed, and the connection breaks before the answer. */
  | "cut_after"
  /** The connection breaks, and nothing was obeyed. */
  | "cut_before";

const LATE_MS = 400;

const PHASE = {
  prepared: TransactionPhase.PREPARED,
  armed: TransactionPhase.ARMED,
  step_begin: TransactionPhase.CHANGING,
  step_done: TransactionPhase.CHANGING,
  on_trial: TransactionPhase.ON_TRIAL,
  confirmed: TransactionPhase.CONFIRMED,
  finalized: TransactionPhase.FINALIZED,
  reverting: TransactionPhase.REVERTING,
  reverted: TransactionPhase.REVERTED,
  revert_failed: TransactionPhase.REVERT_FAILED,
  refused: TransactionPhase.REFUSED,
} as const satisfies Record<LedgerKind, TransactionPhase>;

class PowerCut extends Error {}

export interface AgentIdentity {
  readonly serverId: string;
  /** The next connection is made with it and its certificate. */
  tlsKey: KeyObject;
  readonly receiptKey: KeyObject;
  certificate: string;
  readonly caCertificate: string;
}

export interface AgentOptions {
  readonly port: number;
  readonly windowMs?: number;
  /** The identity of an agent that is enrolled already. */
  readonly identity: AgentIdentity;
}

export class SimulatedAgent {
  readonly ledger: SimulatedLedger;
  /** Of the control plane's audit log. */
  readonly heads: SimulatedHeads;
  readonly identity: AgentIdentity;
  /** Every call that arrived, in order. */
  readonly calls: Method[] = [];
  readonly commands: Command[] = [];
  bootId = randomUUID();
  port: number;
  /** The change cuts the wire: no session comes through while it is live. */
  isCutWhileLive = false;
  /** What `Probe` answers. */
  probeResult: (id: string) => "open" | "closed" = () => "open";
  /** Power is lost right after this record. */
  crashAfter: LedgerKind | null = null;
  /** Power is lost right before the step after this record. */
  pauseInStep: Promise<void> = Promise.resolve();
  /** Says these instead of the truth, without the guard's signature. */
  lie: TransactionPhase | null = null;
  /** What secrets are sealed with for it. */
  readonly sealing = sealOpener(generateKeyPairSync("x25519").privateKey);
  /** Called when a method arrives, before anything else. */
  onCall: (method: Method) => void | Promise<void> = () => undefined;
  /** Which command key it says that it trusts; empty: it is too old to say. */
  commandKeyId = "";
  /** What it was led along, each time. */
  readonly led: number[] = [];
  drifting: readonly string[] = [];
  /** What its modules say that it cannot do, by domain; a domain that is not there says nothing. */
  lacking: Readonly<Record<string, readonly Lack[]>> = {};
  /** What `Spans` answers; null: it is an agent of before that question. */
  onSpans: ((traceId: string) => { readonly spansJson: string; readonly nowMs: number }) | null = null;
  /** What `ReadPackets` answers; null: it is an agent of before that question. */
  onReadPackets: ((request: ReadPacketsRequest) => MessageInitShape<typeof ReadPacketsResponseSchema>) | null = null;
  /** Which tools it has; null: an agent from before there were any. */
  onDescribeTools: (() => MessageInitShape<typeof DescribeToolsResponseSchema>) | null = null;
  /** What a run of a tool says, a capture too. */
  onTool: ((request: ToolRequest) => MessageInitShape<typeof ToolResponseSchema>) | null = null;
  /** What `Plan` answers: one step, unless the config is the confirmed one. */
  onPlan: (request: PlanRequest) => MessageInitShape<typeof PlanResponseSchema> = ({ configDigest }) => ({
    planDigest: configDigest,
    baseDigest: this.ledger.live,
    baseGeneration: BigInt(this.ledger.generation),
    steps:
      configDigest === this.ledger.confirmedDigest
        ? []
        : [{ id: "firewall.batch", domain: "firewall", title: "load one batch", budgetMs: 1_000n }],
    nativeDiff: configDigest === this.ledger.confirmedDigest ? {} : { firewall: "--- live\n+++ desired\n" },
    findings: [],
    touchesManagementPath: false,
    drift: [...this.drifting],
  });
  /** What it answers to an act on a tunnel and to the question before it; null: it is an agent of before those. */
  onTunnel: ((wish: TunnelCommand) => MessageInitShape<typeof TunnelActResponseSchema>) | null = null;
  /** Acts on tunnels that it has done, by request. */
  readonly tunnelActs = new Map<string, TunnelActResponse>();
  readonly #faults = new Map<Method, WireFault[]>();
  readonly #watchers = new Set<EventQueue<WatchEvent>>();
  #connection: { readonly served: ServedConnection; readonly socket: tls.TLSSocket; readonly number: number } | null =
    null;
  #dialled = 0;
  /** Sessions up to this number were dialled before the change. */
  #oldUpTo = 0;
  #isStopped = false;
  #redial: NodeJS.Timeout | null = null;
  #clock: NodeJS.Timeout | null = null;

  constructor(options: AgentOptions) {
    this.port = options.port;
    this.identity = options.identity;
    this.heads = new SimulatedHeads(options.identity.serverId, options.identity.receiptKey);
    this.ledger = new SimulatedLedger({ windowMs: options.windowMs ?? 10_000, stepMs: 1_000 });
    this.ledger.onRecord = (_transaction, kind) => {
      if (kind !== this.crashAfter) return;
      this.crashAfter = null;
      throw new PowerCut(`after ${kind}`);
    };
  }

  fault(method: Method, ...faults: readonly WireFault[]): void {
    this.#faults.set(method, [...(this.#faults.get(method) ?? []), ...faults]);
  }

  start(): void {
    this.#isStopped = false;
    this.#dial();
    this.#clock ??= setInterval(() => {
      const before = this.ledger.open;
      void this.#powered(() => this.ledger.tick(Date.now())).catch(() => undefined); // acts before it returns
      if (before !== undefined && this.ledger.open === undefined) this.#tell(before);
      this.#beat();
    }, 100);
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#clock !== null) clearInterval(this.#clock);
    if (this.#redial !== null) clearTimeout(this.#redial);
    this.#clock = null;
    this.#hangUp();
  }

  get isConnected(): boolean {
    return this.#connection !== null;
  }

  /** The wire breaks; it dials again. */
  cut(): void {
    this.#hangUp();
  }

  /** A domain drifts, or no longer does. */
  sayDrift(domain: string, drift: boolean): void {
    this.drifting = drift ? [...this.drifting, domain] : this.drifting.filter((each) => each !== domain);
    for (const watcher of this.#watchers)
      watcher.push(create(WatchEventSchema, { event: { case: "drift", value: { domain, drift } } }));
  }

  /** What lets management in is lost in a domain, or stands again. */
  sayFloor(domain: string, floor: MessageInitShape<typeof FloorStateSchema>): void {
    for (const watcher of this.#watchers)
      watcher.push(create(WatchEventSchema, { event: { case: "drift", value: { domain, floor } } }));
  }

  /** What is missing is another thing than at the last look. */
  sayLacks(domain: string, lacks: readonly Lack[]): void {
    this.lacking = { ...this.lacking, [domain]: lacks };
    const [state] = this.#states().filter((one) => one.domain === domain);
    if (state === undefined) return;
    for (const watcher of this.#watchers)
      watcher.push(create(WatchEventSchema, { event: { case: "drift", value: state } }));
  }

  #states() {
    return [...new Set([...this.drifting, ...Object.keys(this.lacking)])].map((domain) => {
      const lacks = this.lacking[domain];
      return {
        domain,
        drift: this.drifting.includes(domain),
        ...(lacks === undefined ? {} : { lacks: { lacks: lacks.map((one) => ({ ...one })) } }),
      };
    });
  }

  powerCut(): void {
    this.#hangUp();
    this.bootId = randomUUID();
    this.ledger.reboot(Date.now());
  }

  #dial(): void {
    if (this.#isStopped) return;
    const number = ++this.#dialled;
    const socket = tls.connect({
      host: "127.0.0.1",
      port: this.port,
      ca: this.identity.caCertificate,
      cert: this.identity.certificate,
      key: this.identity.tlsKey.export({ type: "pkcs8", format: "pem" }),
      ALPNProtocols: [AGENT_SESSION_ALPN],
      minVersion: "TLSv1.3",
    });
    socket.on("error", () => undefined);
    socket.once("close", () => {
      if (this.#connection?.socket === socket) this.#connection = null;
      if (this.#isStopped || number !== this.#dialled) return;
      this.#redial = setTimeout(() => this.#dial(), 25);
    });
    socket.once("secureConnect", () => {
      socket.setNoDelay(true);
      const open = this.ledger.open;
      if (this.isCutWhileLive && open !== undefined && this.ledger.live === open.configDigest) {
        socket.destroy();
        return;
      }
      this.#connection = { served: serveOver(socket, (router) => this.#routes(router, number)), socket, number };
    });
  }

  #hangUp(): void {
    const connection = this.#connection;
    this.#connection = null;
    for (const watcher of this.#watchers) watcher.end();
    this.#watchers.clear();
    connection?.served.destroy();
    connection?.socket.destroy();
  }

  #routes(router: ConnectRouter, session: number): void {
    router.service(HostService, {
      spans: ({ traceId }) => {
        if (this.onSpans === null) throw new ConnectError("no such question", Code.Unimplemented);
        return this.onSpans(traceId);
      },
      describe: () => ({
        serverId: this.identity.serverId,
        agentVersion: "0.1.0-simulated",
        bootId: this.bootId,
        hostname: "simulated",
        init: "plain",
        domains: DOMAINS.map((domain) => ({ domain, available: true, reason: "", module: "simulated" })),
        factsJson: canonicalJson({ interfaces: [{ name: "eth0", addresses: ["192.0.2.10/24"] }] }),
        commandKeyId: this.commandKeyId,
        ...this.#sealingKey(),
        keepsAuditHeads: this.heads.isSupported,
      }),
      adoptKeys: ({ links }) => {
        this.led.push(links.length);
        const last = links.at(-1);
        if (last !== undefined)
          this.commandKeyId = createHash("sha256").update(last.nextKey).digest("hex").slice(0, 16);
        return { commandKeyId: this.commandKeyId };
      },
      getState: ({ ledgerOnly }) => ({
        generation: BigInt(this.ledger.generation),
        maxFence: BigInt(this.ledger.maxFence),
        bootId: this.bootId,
        lockedCode: this.ledger.lockedCode,
        lockedReason: this.ledger.lockedCode,
        confirmedConfigDigest: this.ledger.confirmedDigest,
        confirmedRequestId: this.ledger.confirmedRequestId,
        domains: ledgerOnly ? [] : this.#states(),
      }),
      prepare: (command) =>
        this.#call("prepare", command, session, ({ requestId, fence, verb }) => {
          if (verb.case !== "prepare") throw new ConnectError("not a Prepare", Code.InvalidArgument);
          const { kind, configDigest, planDigest, baseGeneration } = verb.value;
          return this.ledger.prepare(
            {
              requestId,
              fence: Number(fence),
              kind: kind === "rollback" ? "rollback" : "forward",
              configDigest,
              planDigest,
              baseGeneration: Number(baseGeneration),
            },
            Date.now(),
          );
        }),
      execute: (command) => this.#call("execute", command, session, (decoded) => this.#execute(decoded)),
      confirm: (command) =>
        this.#call("confirm", command, session, ({ requestId, fence, verb }) => {
          const nonce = verb.case === "confirm" ? verb.value.nonce : "";
          const answer = this.ledger.confirm(
            { requestId, fence: Number(fence), nonce },
            session > this.#oldUpTo,
            Date.now(),
          );
          this.ledger.advance(requestId, Date.now());
          return answer;
        }),
      abort: (command) =>
        this.#call("abort", command, session, ({ requestId, fence, verb }) => {
          const why = verb.case === "abort" ? verb.value : { code: "", message: "" };
          const answer = this.ledger.abort(
            { requestId, fence: Number(fence), code: why.code, message: why.message },
            Date.now(),
          );
          this.ledger.advance(requestId, Date.now());
          return answer;
        }),
      release: (command) => {
        this.ledger.release();
        return this.#message(this.ledger.ask(decode(command).requestId), "", session);
      },
      previewTunnelAct: (wish) => create(TunnelActResponseSchema, this.#tunnel(wish)),
      actOnTunnel: (signed) => {
        const command = decode(signed);
        this.commands.push(command);
        return this.#faulty("actOnTunnel", session, () => this.#actOnTunnel(command));
      },
      getTransaction: ({ requestId }) =>
        this.#faulty("getTransaction", session, () => this.#message(this.ledger.ask(requestId), requestId, session)),
      watch: (_request, context) => this.#watch(context.signal, session),
      acknowledge: ({ requestIds }) => {
        for (const id of requestIds) this.ledger.outbox.delete(id);
        return {};
      },
      probe: ({ targets }) => ({
        outcomes: targets.map(({ id }) => ({ id, result: this.probeResult(id), detail: "" })),
      }),
      observe: () => ({ domains: [] }),
      keepAuditHead: (request) => this.heads.answer(request),
      plan: (request) => this.onPlan(request),
      readPackets: (request) => {
        if (this.onReadPackets === null) throw new ConnectError("no such question", Code.Unimplemented);
        return this.onReadPackets(request);
      },
      describeTools: () => {
        if (this.onDescribeTools === null) throw new ConnectError("no such question", Code.Unimplemented);
        return this.onDescribeTools();
      },
      useTool: (request) => this.#tool(request),
      capture: (request) => this.#tool(request),
    });
  }

  #tool(request: ToolRequest): MessageInitShape<typeof ToolResponseSchema> {
    if (this.onTool === null) throw new ConnectError("no such question", Code.Unimplemented);
    return this.onTool(request);
  }

  #sealingKey(): { sealingKey: Uint8Array; sealingProof: Uint8Array } {
    const key = this.sealing.publicKey;
    const text = sealingKeyText(this.identity.serverId, key.toString("hex"));
    return { sealingKey: key, sealingProof: sign(null, Buffer.from(text, "utf8"), this.identity.receiptKey) };
  }

  #tunnel(wish: TunnelCommand): MessageInitShape<typeof TunnelActResponseSchema> {
    if (this.onTunnel === null) throw new ConnectError("no such verb", Code.Unimplemented);
    return this.onTunnel(wish);
  }

  /** As the guard: known ones are answered, a fence that is not above all others is refused, and the fence is kept before anything is done. */
  #actOnTunnel({ requestId, fence, verb }: Command): TunnelActResponse {
    const known = this.tunnelActs.get(requestId);
    if (known !== undefined) return known;
    if (verb.case !== "tunnel" || Number(fence) <= this.ledger.maxFence)
      throw new ConnectError("the fence is stale", Code.FailedPrecondition, { [CODE_HEADER]: "guard.fence_stale" });
    this.ledger.maxFence = Number(fence);
    const answer = create(TunnelActResponseSchema, this.#tunnel(verb.value));
    this.tunnelActs.set(requestId, answer);
    return answer;
  }

  async #call(
    method: Method,
    signed: SignedCommand,
    session: number,
    obey: (command: Command) => LedgerAnswer | Promise<LedgerAnswer>,
  ): Promise<Transaction> {
    const command = decode(signed);
    this.commands.push(command);
    return this.#faulty(method, session, async () => {
      const answer = await this.#powered(() => obey(command));
      const message = this.#message(answer, command.requestId, session);
      if (answer.kind === "transaction") this.#tell(answer.transaction);
      return message;
    });
  }

  async #faulty<Message extends Transaction | TunnelActResponse>(
    method: Method,
    session: number,
    obey: () => Message | Promise<Message>,
  ): Promise<Message> {
    this.calls.push(method);
    await this.onCall(method);
    const fault = this.#faults.get(method)?.shift();
    switch (fault) {
      case undefined:
        return this.#afterwards(await obey(), session);
      case "lose_request":
        throw new ConnectError("lost on the way", Code.Unavailable);
      case "lose_answer":
        this.#afterwards(await obey(), session);
        throw new ConnectError("the answer was lost", Code.Unavailable);
      case "double":
        await obey();
        return this.#afterwards(await obey(), session);
      case "late": {
        const answer = await obey();
        await new Promise((resolve) => setTimeout(resolve, LATE_MS));
        return this.#afterwards(answer, session);
      }
      case "cut_after":
        await obey();
        this.#hangUp();
        throw new ConnectError("cut", Code.Unavailable);
      case "cut_before":
        this.#hangUp();
        throw new ConnectError("cut", Code.Unavailable);
    }
  }

  async #execute({ requestId, fence, verb }: Command): Promise<LedgerAnswer> {
    const nonce = verb.case === "execute" ? verb.value.nonce : "";
    const answer = this.ledger.execute({ requestId, fence: Number(fence), nonce }, Date.now());
    if (answer.kind !== "transaction") return answer;
    await this.pauseInStep;
    while (this.ledger.advance(requestId, Date.now())) {
      if (last(answer.transaction) === "on_trial") this.#oldUpTo = this.#dialled;
    }
    return answer;
  }

  /** On trial, every session from before the change is closed, after its last answer has had its chance. */
  #afterwards<Message extends Transaction | TunnelActResponse>(message: Message, session: number): Message {
    if (message.$typeName !== "holdfast.v1.Transaction") return message;
    if (message.phase === TransactionPhase.ON_TRIAL && session <= this.#oldUpTo)
      setTimeout(() => this.#hangUpOld(session), 5);
    return message;
  }

  #hangUpOld(session: number): void {
    if (this.#connection?.number === session) this.#hangUp();
  }

  async #powered<T>(act: () => T | Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      this.powerCut();
      throw new ConnectError("power was lost", Code.Unavailable);
    }
  }

  async *#watch(signal: AbortSignal, session: number): AsyncGenerator<WatchEvent> {
    const queue = new EventQueue<WatchEvent>();
    this.#watchers.add(queue);
    signal.addEventListener("abort", () => queue.end());
    for (const id of this.ledger.outbox) {
      queue.push(
        create(WatchEventSchema, {
          event: { case: "outcome", value: this.#message(this.ledger.ask(id), id, session) },
        }),
      );
    }
    yield* queue;
    this.#watchers.delete(queue);
  }

  #beat(): void {
    for (const watcher of this.#watchers)
      watcher.push(create(WatchEventSchema, { event: { case: "heartbeat", value: { sequence: 1n } } }));
  }

  #tell(transaction: LedgerTransaction): void {
    const session = this.#connection?.number ?? 0;
    const message = this.#message({ kind: "transaction", transaction }, transaction.requestId, session);
    const kind = this.ledger.outbox.has(transaction.requestId) ? "outcome" : "transaction";
    for (const watcher of this.#watchers)
      watcher.push(create(WatchEventSchema, { event: { case: kind, value: message } }));
  }

  #message(answer: LedgerAnswer, requestId: string, session: number): Transaction {
    if (answer.kind === "rejected")
      throw new ConnectError(`${answer.code}: ${answer.message}`, Code.FailedPrecondition);
    const common = {
      requestId,
      maxFence: BigInt(this.ledger.maxFence),
      generation: BigInt(this.ledger.generation),
      sessionIsFresh: session > this.#oldUpTo,
    };
    if (answer.kind !== "transaction") {
      return create(TransactionSchema, {
        ...common,
        phase: answer.kind === "unknown" ? TransactionPhase.UNKNOWN : TransactionPhase.STALE,
      });
    }
    const { transaction } = answer;
    const kind = last(transaction);
    const message = create(TransactionSchema, {
      ...common,
      phase: this.lie ?? PHASE[kind],
      fence: BigInt(transaction.fence),
      code: transaction.code,
      message: transaction.message,
      serverIs: serverIsAfter(transaction),
      lastStep: transaction.records.includes("step_begin") ? "firewall.batch" : "",
      remainingMs: BigInt(Math.max(0, transaction.deadlineMs - Date.now())),
      liveDigest: this.ledger.live,
    });
    if (transaction.endedAtMs !== null) {
      const body = canonicalJson({
        request_id: requestId,
        server_id: this.identity.serverId,
        outcome: kind,
        code: transaction.code,
        fence: transaction.fence,
        generation: this.ledger.generation,
      });
      message.receipt = {
        $typeName: "holdfast.v1.Receipt",
        body,
        signature: sign(null, Buffer.from(SIGNED_TEXT.receipt + body), this.identity.receiptKey),
      };
    }
    return message;
  }
}

function decode(signed: SignedCommand): Command {
  return fromBinary(CommandSchema, signed.command);
}
