import { listenAll } from "@holdfast/testkit/servers/probes.ts";
import { Flood, PersistentTcp } from "@holdfast/testkit/servers/traffic.ts";
import { BenchHouse } from "./bench-house.ts";
import type { BenchContext } from "./context.ts";
import { OPEN_PORT, policyText } from "./documents.ts";
import { row, type Row } from "./result.ts";

const FULL = { rules: [50, 1_000], applies: 10 } as const;
const QUICK = { rules: [50], applies: 3 } as const;
/** Enough that every millisecond of a gap would swallow some, little enough for two processors that also do the work. */
const DATAGRAMS_PER_SECOND = 1_000;
const CONNECTIONS_PER_SECOND = 200;
/** On a busy machine an answer takes its time; what was dropped never comes. TCP would repeat a lost SYN after one second. */
const DATAGRAM_TIMEOUT_MS = 5_000;
const CONNECT_TIMEOUT_MS = 900;

/** Traffic that the old and the new rules allow, while rules change: nothing of it may be lost. */
export async function packets(context: BenchContext): Promise<readonly Row[]> {
  const rows: Row[] = [];
  const { rules, applies } = context.quick ? QUICK : FULL;
  for (const count of rules) rows.push(...(await measure(context, count, applies)));
  return rows;
}

async function measure(context: BenchContext, rules: number, applies: number): Promise<readonly Row[]> {
  await using house = await BenchHouse.open([{ name: "web-1", kind: context.kind, labels: { role: "web" } }]);
  const set = { name: "rules", selector: "{ role: web }", rules };
  for (const mode of ["observe", "enforce"] as const)
    await house.apply(`Begin: ${mode}`, [policyText({ ...set, mode, changed: null, turn: 0 })]);
  const { machine, address } = house.first;
  const listener = await listenAll(machine, { tcp: [OPEN_PORT], udp: [OPEN_PORT] });
  const target = { address, port: OPEN_PORT };
  const udp = await Flood.start(house.client, {
    ...target,
    protocol: "udp",
    perSecond: DATAGRAMS_PER_SECOND,
    timeoutMs: DATAGRAM_TIMEOUT_MS,
  });
  const tcp = await Flood.start(house.client, {
    ...target,
    protocol: "tcp",
    perSecond: CONNECTIONS_PER_SECOND,
    timeoutMs: CONNECT_TIMEOUT_MS,
  });
  const standing = await PersistentTcp.start(house.client, { ...target, everyMs: 20 });
  for (let turn = 1; turn <= applies; turn++)
    await house.timedApply(`Turn ${turn}`, policyText({ ...set, changed: turn % (rules - 1), turn }), 1);
  const [datagrams, connections, connection] = [await udp.stop(), await tcp.stop(), await standing.stop()];
  await listener.stop();
  const part = `traffic, ${applies} applies, ${rules.toLocaleString("en")} rules`;
  return [
    row(part, `lost of ${datagrams.sent} datagrams`, "packets", [datagrams.lost], { goal: "0" }),
    row(part, `lost of ${connections.sent} new connections`, "packets", [connections.lost], { goal: "0" }),
    row(part, "ends of a standing connection", "packets", [connection.state === "open" ? 0 : 1], { goal: "0" }),
  ];
}
