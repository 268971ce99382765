import { setTimeout as sleep } from "node:timers/promises";
import { installAgent } from "@holdfast/testkit/agents/install-agent.ts";
import { until } from "@holdfast/testkit/until.ts";
import { z } from "zod";
import { factsOf } from "../one-apply.ts";
import type { Fault } from "./fault.ts";
import type { Ending, Stage } from "./stage.ts";

/** Who a server is, and until when. */
export const IDENTITY_FAULTS: readonly Fault[] = [{ test: "fault-31-disk-replaced-or-cloned", suffer: cloned }];

let clones = 0;
/** Long enough for a claim, were it possible. */
const CLAIMED_WITHIN_MS = 4_000;

/** The same key and disk in two running machines. */
async function cloned(stage: Stage): Promise<Ending> {
  const { house, server } = stage;
  const change = await stage.plan();
  const clone = house.lab.server({
    name: `clone-${++clones}`,
    kind: "systemd",
    attachments: [{ network: house.networks.lan, interface: "eth0", addresses: ["192.0.2.240"] }],
    routes: [{ to: "default", via: "192.0.2.1" }],
  });
  await clone.start();
  const image = await server.machine.must(["sh", "-c", "tar -C / -cz var/lib/holdfast etc/holdfast | base64 -w0"]);
  await clone.must(["sh", "-c", "base64 -d | tar -C / -xz"], { input: image });
  try {
    await installAgent(clone, null, { waitForSession: false });
    const locked = async (): Promise<string | undefined> =>
      (await house.operator.servers()).find((one) => one.name === server.name)?.locked?.code;
    await until(
      "the key to be seen in two places",
      async () => (await locked()) === "server.key_in_two_places",
      40_000,
    );
    const begun = await stage.apply(change);
    await sleep(CLAIMED_WITHIN_MS);
    const row = await factsOf(house, begun.applyId);
    const kernel = (await server.ownTable()) === stage.tableBefore ? "as_before" : "changed";
    const ending: Ending = { row, kernel, ledger: null, visitor: await stage.visit() };
    await house.operator.call("abortApply", {
      params: { id: begun.applyId },
      body: { reason: "cloned" },
      answer: z.unknown(),
    });
    return ending;
  } finally {
    await clone.close();
  }
}
