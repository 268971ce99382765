import { join } from "node:path";
import { effectiveConfigSchema } from "@holdfast/core/api/server.ts";
import type { FirewallConfig } from "@holdfast/domains/firewall/model.ts";
import type { RunningProcess } from "@holdfast/testkit/servers/child.ts";
import { nodeBinary } from "@holdfast/testkit/servers/machine.ts";
import { z } from "zod";
import type { BenchHouse, BenchServer } from "./bench-house.ts";
import type { RawAnswer, RawCommand } from "./inside/raw-nft.ts";

/** A spawned `nft -f` of the same rules on the same server, in a network namespace of its own beside the server's. Must be closed. */
export class RawNft {
  readonly #house: BenchHouse;
  readonly #server: BenchServer;
  readonly #process: RunningProcess;
  #answered: (line: string) => void = () => undefined;

  private constructor(house: BenchHouse, server: BenchServer) {
    this.#house = house;
    this.#server = server;
    const program = join(import.meta.dirname, "inside/raw-nft.ts");
    this.#process = server.machine.spawn(["unshare", "--net", "--", nodeBinary, program], {
      onLine: (line) => this.#answered(line),
    });
  }

  static async beside(house: BenchHouse, server: BenchServer): Promise<RawNft> {
    const raw = new RawNft(house, server);
    await raw.#next();
    return raw;
  }

  /** Loads what the server has in force now: once as the difference to what was loaded here before, once whole. */
  async load(): Promise<RawAnswer> {
    const { config } = await this.#house.operator.call("getServerConfig", {
      params: { name: this.#server.name },
      answer: effectiveConfigSchema,
    });
    // Our own API's answer about our own domain.
    const { firewall } = z.object({ domains: z.object({ firewall: z.unknown() }) }).parse(config).domains;
    const answer = this.#next();
    this.#process.write(`${JSON.stringify({ config: firewall as FirewallConfig } satisfies RawCommand)}\n`);
    return JSON.parse(await answer) as RawAnswer;
  }

  async close(): Promise<void> {
    await this.#process.stop("SIGKILL");
  }

  #next(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      void this.#process.ended.then(() => reject(new Error(`raw nft ended: ${this.#process.output.slice(-2_000)}`)));
    });
  }
}
