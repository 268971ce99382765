import type { ProbeResult } from "@holdfast/core/plan/probe.ts";
import type { AgentClient } from "../gateway/agent-client.ts";
import { addressesInFacts, isOwnAddress, readJson } from "./own-address.ts";
import { tcpConnect } from "./tcp-connect.ts";

/** A server that can be looked at, and from which others can be looked at. */
export interface ProbedServer {
  readonly serverId: string;
  /** Where its agent's connection came from. */
  readonly remoteAddress: string;
  /** What it says of its interfaces. */
  readonly factsJson: string;
  readonly client: AgentClient;
}

/** Opens a new connection to a server from outside of it. */
export type InboundVantage = (
  server: ProbedServer,
  address: string,
  port: number,
  timeoutMs: number,
) => Promise<ProbeResult>;

/**
 * The control plane itself looks, where it stands outside of the server. Loopback is never evidence, and a connection to an address of this
 * very machine goes over it: then another connected server looks instead, for "self" at an address that the server has on its own interfaces.
 */
export function vantageOf(others: (serverId: string) => Iterable<ProbedServer>): InboundVantage {
  return async (server, address, port, timeoutMs) => {
    const target = address === "self" ? server.remoteAddress : address;
    if (!isOwnAddress(target)) return tcpConnect(target, port, timeoutMs);
    const own = address === "self" ? addressesInFacts(readJson(server.factsJson))[0] : address;
    const [peer] = others(server.serverId);
    if (own === undefined || peer === undefined) return "unreachable_vantage";
    return askPeer(peer.client, own, port, timeoutMs);
  };
}

async function askPeer(client: AgentClient, address: string, port: number, timeoutMs: number): Promise<ProbeResult> {
  try {
    const { outcomes } = await client.probe(
      { targets: [{ id: "inbound", protocol: "tcp", address, port, timeoutMs }] },
      { timeoutMs: timeoutMs + 2_000 },
    );
    const result = outcomes[0]?.result;
    return result === "open" || result === "closed" ? result : "unreachable_vantage";
  } catch {
    return "unreachable_vantage"; // the peer's wire broke, which says nothing about the server
  }
}
