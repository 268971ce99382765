/** Packets of a real server through the whole house, as whoever looks at them sees them, also while a change is on its way over that very server. */
import { auditEntrySchema } from "@holdfast/core/api/account.ts";
import { eventReader } from "@holdfast/core/api/event-text.ts";
import { type Packet, PACKET_EVENTS } from "@holdfast/core/api/packet-log.ts";
import { policyText, PORTS, USUAL_RULES } from "@holdfast/testkit/house/documents.ts";
import { House } from "@holdfast/testkit/house/house.ts";
import { tcpConnect } from "@holdfast/testkit/servers/probes.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { applyPlanned, endOf, planOn } from "../one-apply.ts";

let house: House;
let close: () => Promise<void> = () => Promise.resolve();
beforeAll(async () => {
  house = await House.open({ servers: [{ name: "web-1", kind: "systemd" }] });
  close = () => house.close();
}, 240_000);
afterAll(() => close(), 60_000);

/** Follows until it is told to leave; the stream must not end by itself. */
function look(): { readonly packets: readonly Packet[]; readonly ended: () => string | null; leave(): Promise<void> } {
  const stop = new AbortController();
  const packets: Packet[] = [];
  let ended: string | null = null;
  const read = eventReader();
  const following = (async () => {
    const response = await fetch(`${house.operator.url}/api/v1/servers/web-1/packets`, {
      headers: { authorization: `Bearer ${house.operator.token}` },
      signal: stop.signal,
    });
    if (!response.ok || response.body === null) throw new Error(`${response.status} ${await response.text()}`);
    for await (const part of response.body.pipeThrough(new TextDecoderStream()))
      for (const { event, data } of read(part)) {
        if (event === "packets") packets.push(...PACKET_EVENTS.packets.parse(JSON.parse(data)).packets);
        if (event === "ended") ended = data;
      }
    ended ??= "the stream ended";
  })().catch((error: unknown) => {
    if (!stop.signal.aborted) ended = String(error);
  });
  return {
    packets,
    ended: () => ended,
    async leave() {
      stop.abort();
      await following;
    },
  };
}

test("a change is applied while somebody looks: its new rule is seen to decide, and looking leaves nothing", async () => {
  const server = house.server("web-1");
  const watched = look();
  const knock = (port: number) => tcpConnect(house.networks.visitor, server.address, port, { timeoutMs: 500 });
  const decided = (port: number, outcome: Packet["outcome"], rule: string) =>
    expect.poll(
      async () => {
        if (watched.ended() !== null) return watched.ended();
        await knock(port);
        // The newest: a rule that is on trial is known to the server before it is in force here.
        return watched.packets.findLast(
          (one) => one.destinationPort === port && one.outcome === outcome && one.rule === rule,
        );
      },
      { timeout: 60_000, interval: 1_000 },
    );
  await decided(PORTS.other, "dropped", "default").toMatchObject({
    direction: "inbound",
    destination: server.address,
    from: { document: "Policy/host-web-1" },
  });
  await decided(PORTS.app, "allowed", "app").toMatchObject({ from: { document: "Policy/host-web-1" } });

  const text = policyText({
    server: "web-1",
    inbound: { ...USUAL_RULES, other: `allow: tcp/${PORTS.other}, from: any, why: "seen to be dropped"` },
  });
  const { applyId } = await applyPlanned(house, server, await planOn(house, server, text));
  expect(await endOf(house, applyId)).toMatchObject({ state: "APPLIED" });
  await decided(PORTS.other, "allowed", "other").toMatchObject({ why: "seen to be dropped" });

  expect(watched.ended()).toBeNull();
  await watched.leave();
  await expect
    .poll(() => server.machine.must(["nft", "list", "tables"]), { timeout: 30_000, interval: 1_000 })
    .not.toContain("holdfast_watch");
  const { items } = await house.operator.call("listAudit", {
    query: { action: "server.packets" },
    answer: z.object({ items: z.array(auditEntrySchema) }),
  });
  expect(items.map(({ action, actor, server: of }) => [action, actor, of])).toEqual([
    ["server.packets_watch_ended", "admin", "web-1"],
    ["server.packets_watched", "admin", "web-1"],
  ]);
}, 300_000);
