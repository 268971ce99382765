import type { Probe, ProbeResult } from "@holdfast/core/plan/probe.ts";
import type { InboundVantage, ProbedServer } from "./vantage.ts";

/** Waiting for silence costs the whole of it in each round, so it is short; a round trip around the world takes 0.3 s. */
const TIMEOUT_MS = 1_500;

/** Runs all probes at once, each over a new connection. What nobody can look at is `unreachable_vantage`, never a guess. */
export async function probeRound(
  probes: readonly Probe[],
  server: ProbedServer,
  vantage: InboundVantage,
): Promise<Readonly<Record<string, ProbeResult>>> {
  const inbound = probes
    .filter((probe) => probe.direction === "inbound")
    .map(async (probe) => [probe.id, await lookIn(probe, server, vantage)] as const);
  const results = await Promise.all([
    Promise.all(inbound),
    lookOut(
      probes.filter((probe) => probe.direction === "outbound"),
      server,
    ),
  ]);
  return Object.fromEntries(results.flat());
}

function lookIn(probe: Probe, server: ProbedServer, vantage: InboundVantage): Promise<ProbeResult> {
  // From afar a closed UDP port and an open silent one look the same, and ICMP would need rights that the control plane does not want.
  if (probe.protocol !== "tcp" || probe.port === undefined) return Promise.resolve("unreachable_vantage");
  return vantage(server, probe.address, probe.port, TIMEOUT_MS);
}

async function lookOut(
  probes: readonly Probe[],
  server: ProbedServer,
): Promise<readonly (readonly [string, ProbeResult])[]> {
  if (probes.length === 0) return [];
  const said = new Map<string, string>();
  try {
    const targets = probes.map(({ id, protocol, address, port, fullSize }) => ({
      id,
      protocol: fullSize === true ? "full_size" : protocol,
      address,
      port: port ?? 0,
      timeoutMs: TIMEOUT_MS,
    }));
    const { outcomes } = await server.client.probe({ targets }, { timeoutMs: TIMEOUT_MS + 5_000 });
    for (const outcome of outcomes) said.set(outcome.id, outcome.result);
  } catch {
    // The agent did not answer: for each of its probes that is no evidence (below).
  }
  return probes.map(({ id }) => {
    const result = said.get(id);
    return [id, result === "open" || result === "closed" ? result : "unreachable_vantage"] as const;
  });
}
