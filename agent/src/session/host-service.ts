import { hostname, networkInterfaces, release } from "node:os";
import type { ConnectRouter } from "@connectrpc/connect";
import { canonicalJson, type Json } from "@holdfast/core/base/canonical-json.ts";
import type { AgentSpans } from "@holdfast/core/trace/agent-span.ts";
import type { SignedCommand } from "@holdfast/proto/gen/holdfast/v1/command_pb.ts";
import { HostService } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { TransactionPhase, type Transaction } from "@holdfast/proto/gen/holdfast/v1/transaction_pb.ts";
import { readTextIfThere } from "../os/files.ts";
import type { Captures } from "../tool/captures.ts";
import type { ToolRuns } from "../tool/tool-runs.ts";
import { toolsHere } from "../tool/tools-here.ts";
import type { GuardLink } from "./guard-link.ts";
import type { CommandVerb, Measures } from "./measures.ts";
import { MOST_PROBES, probe } from "./probe.ts";
import type { Watching } from "./watching.ts";

/** One connection over which a control plane commands this server. */
export interface CommandedOver {
  /** When its handshake began, nanoseconds of CLOCK_MONOTONIC: all of it is newer than that. */
  readonly sinceMonotonicNs: bigint;
  readonly guard: GuardLink;
  readonly watching: Watching;
  readonly measures: Measures;
  /** Those that need no right: they outlast a connection, as long as somebody asks over the next one. */
  readonly tools: ToolRuns;
  readonly captures: Captures;
  /** The first call: now it is certain that the other end has accepted this connection. */
  readonly onFirstCall: () => void;
  /** The server is on trial: older connections prove nothing any more. */
  readonly onTrial: (requestId: string) => void;
  /** What this server's processes did in a trace. */
  readonly spansOf: (traceId: string) => AgentSpans;
}

/** `HostService`, passed on: the session decides nothing. */
export function hostRoutes(over: CommandedOver): (router: ConnectRouter) => void {
  const { guard, watching } = over;
  let called = false;
  const heard = <Request, Answer>(handle: (request: Request) => Answer): ((request: Request) => Answer) => {
    return (request) => {
      if (!called) over.onFirstCall();
      called = true;
      return handle(request);
    };
  };

  const submit = (verb: CommandVerb) =>
    heard(async (command: SignedCommand): Promise<Transaction> => {
      watching.transactionMayMove();
      try {
        const answer = await guard.call((client) =>
          client.submit({ command, sessionMonotonicNs: over.sinceMonotonicNs }),
        );
        over.measures.command(verb, "passed_on");
        if (answer.phase === TransactionPhase.ON_TRIAL && !answer.sessionIsFresh) over.onTrial(answer.requestId);
        return answer;
      } catch (error) {
        over.measures.command(verb, "refused");
        throw error;
      }
    });

  return (router) => {
    router.service(HostService, {
      describe: heard(async () => {
        const described = await guard.call((client) => client.describe({}));
        return { ...described, hostname: hostname(), factsJson: canonicalJson(facts()) };
      }),
      observe: heard((request) => guard.call((client) => client.observe(request))),
      plan: heard((request) => guard.call((client) => client.plan(request))),
      prepare: submit("prepare"),
      execute: submit("execute"),
      confirm: submit("confirm"),
      abort: submit("abort"),
      release: submit("release"),
      previewTunnelAct: heard((request) => guard.call((client) => client.previewTunnelAct(request))),
      actOnTunnel: heard(async (command) => {
        try {
          const answer = await guard.call((client) =>
            client.actOnTunnel({ command, sessionMonotonicNs: over.sinceMonotonicNs }),
          );
          over.measures.command("tunnel", "passed_on");
          return answer;
        } catch (error) {
          over.measures.command("tunnel", "refused");
          throw error;
        }
      }),
      getTransaction: heard(({ requestId }) =>
        guard.call((client) => client.getTransaction({ requestId, sessionMonotonicNs: over.sinceMonotonicNs })),
      ),
      getState: heard((request) => guard.call((client) => client.getState(request))),
      adoptKeys: heard((request) => guard.call((client) => client.adoptKeys(request))),
      acknowledge: heard((request) => guard.call((client) => client.acknowledge(request))),
      keepAuditHead: heard((request) => guard.call((client) => client.keepAuditHead(request))),
      readPackets: heard((request) => guard.call((client) => client.readPackets(request))),
      describeTools: heard(() => ({ tools: toolsHere(over.captures.whyNot()) })),
      useTool: heard((request) => over.tools.ask(request)),
      capture: heard((request) => over.captures.ask(request)),
      probe: heard(async (request) => ({
        outcomes: await Promise.all(request.targets.slice(0, MOST_PROBES).map(probe)),
      })),
      spans: heard(({ traceId }) => ({ spansJson: JSON.stringify(over.spansOf(traceId)), nowMs: Date.now() })),
      watch: (_request, context) => {
        if (!called) over.onFirstCall();
        called = true;
        return watching.events(context.signal);
      },
    });
  };
}

/** For bindings and references: what hardware and addresses there are. */
export function facts(): Json {
  const interfaces = Object.entries(networkInterfaces()).map(([name, addresses]) => ({
    name,
    mac: addresses?.[0]?.mac ?? "",
    addresses: (addresses ?? []).map((one) => one.cidr ?? one.address).sort(),
  }));
  return {
    os: /^PRETTY_NAME="?([^"\n]*)/m.exec(readTextIfThere("/etc/os-release") ?? "")?.[1] ?? "Linux",
    kernel: release(),
    interfaces: interfaces.sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}
