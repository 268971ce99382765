import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectRouter } from "@connectrpc/connect";
import { DOMAINS, type DomainName } from "@holdfast/core/domain.ts";
import { isOutcome, openTransaction, transactionOf } from "@holdfast/core/ledger/fold.ts";
import type { LedgerState } from "@holdfast/core/ledger/record.ts";
import { GuardService } from "@holdfast/proto/gen/holdfast/v1/guard_pb.ts";
import { sealingKeyText } from "@holdfast/proto/wire/sealed-secret.ts";
import { findingMessage } from "../module/finding-message.ts";
import { toConnectError } from "../rpc/refusal.ts";
import { answerAuditHead } from "./answer-audit-head.ts";
import { commandTimeMs } from "./command-clock.ts";
import { adoptKeys, trustedKeyId } from "./command-keys.ts";
import { domainState } from "./domain-state.ts";
import type { Guard } from "./guard.ts";
import { MODULE_READ_TIMEOUT_MS } from "./modules.ts";
import { planConfig } from "./planning.ts";
import { transactionMessage, type TransactionMessage } from "./transaction-message.ts";
import { askAboutTunnel } from "./tunnel-act.ts";
import { verifyCommand } from "./verify-command.ts";

/** The domain whose decisions are about packets. */
const WATCHED = "firewall" as const satisfies DomainName;
/** Milliseconds without a record and without an open transaction after which there is nothing to follow. */
const FOLLOW_QUIET_MS = 5_000;
/** Milliseconds between two looks for what a follower has not seen. */
const FOLLOW_EVERY_MS = 20;

/** The guard's fixed verbs. Whoever may open the socket may ask; to change anything a command must be signed. */
export function guardRoutes(guard: Guard): (router: ConnectRouter) => void {
  const { context } = guard;
  const tell = (requestId: string, sessionMonotonicNs: bigint): TransactionMessage =>
    tellFrom(context.ledger.read(), requestId, sessionMonotonicNs);

  const tellFrom = (state: LedgerState, requestId: string, sessionMonotonicNs: bigint): TransactionMessage =>
    transactionMessage(state, requestId, {
      serverId: context.identity.serverId,
      signer: context.signer,
      boottimeMs: context.clock.boottimeMs(),
      sessionMonotonicNs,
    });

  return (router) => {
    router.service(GuardService, {
      submit: async (request) => {
        const command = verifyCommand(
          request.command,
          context.identity,
          commandTimeMs(context.ledger.read(), context.clock),
        );
        if (!command.ok) {
          context.log.warn("command refused", { resultCode: command.error.code }, { reason: command.error.message });
          throw toConnectError(command.error);
        }
        const { requestId, changeId, actor } = command.value;
        const obeyed = await guard.obey(command.value, request.sessionMonotonicNs);
        if (!obeyed.ok) {
          context.log.warn(
            "command refused",
            { requestId, changeId, actor, resultCode: obeyed.error.code },
            { verb: command.value.verb.case, reason: obeyed.error.message },
          );
          throw toConnectError(obeyed.error);
        }
        return tell(requestId, request.sessionMonotonicNs);
      },

      getTransaction: (request) => tell(request.requestId, request.sessionMonotonicNs),

      sessionEstablished: (request) => {
        guard.sessionEstablished(request.sessionMonotonicNs);
        return {};
      },

      describe: () => ({
        serverId: context.identity.serverId,
        agentVersion: context.version,
        bootId: context.clock.bootId(),
        init: context.init.kind,
        receiptKeyId: context.signer.keyId,
        keepsAuditHeads: true,
        showsPackets: context.modules.available.includes(WATCHED),
        sealingKey: context.sealing.publicKey,
        sealingProof: context.signer.vouch(
          sealingKeyText(context.identity.serverId, context.sealing.publicKey.toString("hex")),
        ),
        commandKeyId: trustedKeyId(context),
        domains: DOMAINS.map((domain) =>
          context.modules.available.includes(domain)
            ? { domain, available: true, module: `holdfast ${context.version}` }
            : { domain, available: false, reason: `this agent has no module for ${domain}: upgrade it` },
        ),
      }),

      adoptKeys: ({ links }) => {
        const before = trustedKeyId(context);
        const adopted = adoptKeys(context, links);
        if (!adopted.ok) {
          context.log.warn(
            "command key not changed",
            { resultCode: adopted.error.code },
            { reason: adopted.error.message },
          );
          throw toConnectError(adopted.error);
        }
        if (adopted.value !== before) context.log.info("command key changed", {}, { before, after: adopted.value });
        return { commandKeyId: adopted.value };
      },

      observe: async (request) => {
        const wanted = context.modules.available.filter(
          (domain) => request.domains.length === 0 || request.domains.includes(domain),
        );
        return { domains: await Promise.all(wanted.map((domain) => domainState(context, domain, true))) };
      },

      getState: async ({ ledgerOnly, withObserved }) => {
        const looked = ledgerOnly ? [] : context.modules.available;
        const domains = await Promise.all(looked.map((domain) => domainState(context, domain, withObserved)));
        const state = context.ledger.read();
        const open = openTransaction(state);
        return {
          generation: BigInt(state.generation),
          maxFence: BigInt(state.maxFence),
          bootId: context.clock.bootId(),
          ...(open === null ? {} : { open: tellFrom(state, open.requestId, 0n) }),
          domains,
          lockedCode: state.lock?.code ?? "",
          lockedReason: state.lock?.reason ?? "",
          confirmedConfigDigest: state.confirmed?.configDigest ?? "",
          confirmedRequestId: state.confirmed?.requestId ?? "",
        };
      },

      plan: async (request) => {
        const config = context.configs.read(request.configJson, request.configDigest);
        if (!config.ok) throw toConnectError({ code: "guard.config_unreadable", message: config.error });
        const plan = await planConfig(context, config.value, true);
        if (!plan.ok) throw toConnectError({ code: "guard.unavailable", message: plan.error });
        const { domains, findings, drift } = plan.value;
        return {
          planDigest: plan.value.planDigest,
          baseDigest: plan.value.baseDigest,
          baseGeneration: BigInt(plan.value.baseGeneration),
          steps: domains.flatMap(({ domain, plan: { steps } }) =>
            steps.map(({ id, title, budgetMs }) => ({ id, domain, title, budgetMs })),
          ),
          findings: findings.map(findingMessage),
          nativeDiff: Object.fromEntries(domains.map(({ domain, plan: { nativeDiff } }) => [domain, nativeDiff])),
          touchesManagementPath: plan.value.touchesManagementPath,
          drift: [...drift],
        };
      },

      previewTunnelAct: (request) => askAboutTunnel(context, request),

      actOnTunnel: async ({ command: signed }) => {
        const command = verifyCommand(signed, context.identity, commandTimeMs(context.ledger.read(), context.clock));
        const acted = command.ok ? await guard.actOnTunnel(command.value) : command;
        if (acted.ok) return acted.value;
        const about = command.ok ? { requestId: command.value.requestId, actor: command.value.actor } : {};
        const { code, message } = acted.error;
        context.log.warn("command refused", { ...about, resultCode: code }, { verb: "tunnel", reason: message });
        throw toConnectError(acted.error);
      },

      outbox: () => {
        const state = context.ledger.read();
        const waiting = state.transactions.filter((one) => isOutcome(one) && !one.acknowledged);
        return { outcomes: waiting.map((one) => tellFrom(state, one.requestId, 0n)) };
      },

      acknowledge: async (request) => {
        const state = context.ledger.read();
        const requestIds = request.requestIds.filter((requestId) => {
          const one = transactionOf(state, requestId);
          return one !== null && isOutcome(one) && !one.acknowledged;
        });
        if (requestIds.length === 0) return {};
        const written = await context.ledger.append({
          kind: "acknowledged",
          requestId: "",
          fence: state.maxFence,
          detail: { requestIds },
        });
        if (!written.ok) throw toConnectError({ code: "ledger.unwritable", message: written.error.message });
        return {};
      },

      keepAuditHead: (request) => answerAuditHead(context, request),

      lookAfter: (request) => guard.lookAfter(request),

      readPackets: async (request) => {
        if (!context.modules.available.includes(WATCHED))
          return {
            refusedCode: "packets.unsupported",
            refusedMessage: `this agent has no module for ${WATCHED}: upgrade it`,
          };
        const client = await context.modules.of(WATCHED);
        return client.readPackets(request, { timeoutMs: MODULE_READ_TIMEOUT_MS });
      },

      follow: async function* (_request, { signal }) {
        let seen = "";
        let movedMs = performance.now();
        while (!signal.aborted && (guard.hasWork() || performance.now() - movedMs < FOLLOW_QUIET_MS)) {
          const state = context.ledger.read();
          const newest = state.transactions.at(-1);
          if (newest !== undefined && newest.head !== seen) {
            seen = newest.head;
            movedMs = performance.now();
            yield { event: { case: "transaction" as const, value: tellFrom(state, newest.requestId, 0n) } };
          }
          await sleep(FOLLOW_EVERY_MS, undefined, { signal }).catch(() => undefined);
        }
      },
    });
  };
}
