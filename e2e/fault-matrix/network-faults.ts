import { setTimeout as sleep } from "node:timers/promises";
import { policyText, PORTS, USUAL_RULES } from "@holdfast/testkit/house/documents.ts";
import { DIAL_ADDRESS, UNTOLD_DIAL_ADDRESS } from "@holdfast/testkit/house/house-networks.ts";
import { PersistentTcp } from "@holdfast/testkit/servers/traffic.ts";
import type { Fault } from "./fault.ts";
import type { Ending, Stage } from "./stage.ts";

/** Changes that cut the server off. */
export const NETWORK_FAULTS: readonly Fault[] = [
  { test: "fault-12-change-cuts-the-wire", slice: true, suffer: cutTheWire },
  { test: "fault-13-new-connections-cut", slice: true, suffer: cutNewConnections },
];

const ENROLMENT = "/var/lib/holdfast/enrolment.json";

/**
 * The agent dials an address that nobody has told the control plane, so nothing keeps it open; the new policy lets nothing out, and the
 * connections of before are forgotten in the middle of it, as on a server that never had a firewall.
 */
async function cutTheWire(stage: Stage): Promise<Ending> {
  await dial(stage, DIAL_ADDRESS, UNTOLD_DIAL_ADDRESS);
  try {
    const text = policyText({ server: stage.server.name, inbound: USUAL_RULES, outboundDefault: "drop" });
    const begun = await stage.inSteps(
      async (gate, change) => {
        await gate.hold();
        const one = await stage.apply(change);
        await gate.passTo("step_done");
        await stage.server.machine.node.exec(["conntrack", "-F"]);
        await gate.release();
        await gate.watch("reverted");
        return one;
      },
      undefined,
      text,
    );
    return await stage.end(begun);
  } finally {
    await dial(stage, UNTOLD_DIAL_ADDRESS, DIAL_ADDRESS);
  }
}

async function dial(stage: Stage, from: string, to: string): Promise<void> {
  const { machine } = stage.server;
  const enrolment = (await machine.readFile(ENROLMENT)) ?? "";
  if (!enrolment.includes(`"${from}"`)) throw new Error(`${stage.server.name} does not dial ${from}: ${enrolment}`);
  await stage.restartAgent(() => machine.writeFile(ENROLMENT, enrolment.replace(`"${from}"`, `"${to}"`)));
}

/** A service that anybody must be able to open is closed to newcomers; who is inside stays inside. */
async function cutNewConnections(stage: Stage): Promise<Ending> {
  const { server, house } = stage;
  const old = await PersistentTcp.start(house.networks.visitor, { address: server.address, port: PORTS.app });
  const { app: _closed, ...others } = USUAL_RULES;
  const begun = await stage.begin(policyText({ server: server.name, inbound: others, expectOpen: ["tcp/8080"] }));
  const ending = await stage.end(begun);
  await sleep(300);
  const report = await old.stop();
  if (report.state !== "open" || report.longestGapMs > LONGEST_GAP_MS)
    throw new Error(`the old connection suffered: ${JSON.stringify(report)}`);
  return ending;
}

/** A busy machine answers late; a lost packet costs at least TCP's 200 ms and its doublings. */
const LONGEST_GAP_MS = 1_000;
