import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningProcess } from "../servers/child.ts";
import { LabError } from "../servers/lab-error.ts";
import { repository } from "../servers/machine.ts";
import type { LabNode } from "../servers/node.ts";

const HAPROXY = "/usr/sbin/haproxy";
/** The configuration that is shipped, as it is: its addresses are those of a house's control planes. */
const CONFIGURATION = join(repository, "deploy/haproxy/haproxy.cfg");
const STARTED_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 100;
/** Ports that it listens on. */
const FRONTS = [":7080", ":7081"] as const;

/** A real HAProxy on a machine of its own before all control planes of a house. Ends with its machine. */
export class Balancer {
  readonly #process: RunningProcess;

  private constructor(process: RunningProcess) {
    this.#process = process;
  }

  static async start(node: LabNode): Promise<Balancer> {
    if (!existsSync(HAPROXY)) throw new LabError(`there is no ${HAPROXY}: deploy/dev/bootstrap.sh test installs it`);
    const balancer = new Balancer(node.spawn([HAPROXY, "-db", "-f", CONFIGURATION]));
    const giveUpAt = performance.now() + STARTED_WITHIN_MS;
    for (;;) {
      const { stdout } = await node.exec(["ss", "-H", "-l", "-t", "-n"]);
      if (FRONTS.every((front) => stdout.includes(`${front} `))) return balancer;
      if (balancer.#process.end !== undefined || performance.now() > giveUpAt)
        throw new LabError(`the load balancer does not listen:\n${balancer.#process.output}`);
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Whether it sends people to this one of its servers ("one", "two"); it begins with the belief that all are up. */
  sendsTo(server: string): boolean {
    const { output } = this.#process;
    return output.lastIndexOf(`people/${server} is UP`) >= output.lastIndexOf(`people/${server} is DOWN`);
  }
}
