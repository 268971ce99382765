import { createClient, type Client } from "@connectrpc/connect";
import { DOMAINS, type DomainName } from "@holdfast/core/domain.ts";
import { ModuleService } from "@holdfast/proto/gen/holdfast/v1/module_pb.ts";
import type { Init } from "../os/init.ts";
import { connectUnix } from "../os/sockets.ts";
import type { AgentPaths } from "../paths.ts";
import { clientOver, type ConnectionClient } from "../rpc/http2-transport.ts";
import { toConnectError } from "../rpc/refusal.ts";
import { reopening } from "../rpc/reopening.ts";

export type ModuleClient = Client<typeof ModuleService>;

/** Milliseconds that reading, planning and verifying may take: the listing of 50,000 rules several times over. */
export const MODULE_READ_TIMEOUT_MS = 60_000;

/** The guard's way to the modules: their sockets, opened when needed. */
export class Modules {
  readonly available: readonly DomainName[];
  readonly #paths: AgentPaths;
  readonly #init: Init;
  readonly #connections = new Map<DomainName, ConnectionClient>();
  /** Calls that come while a module is reached wait for that connection: a second one would be nobody's to close. */
  readonly #opening = new Map<DomainName, Promise<ConnectionClient>>();

  constructor(paths: AgentPaths, init: Init, available: readonly DomainName[]) {
    this.#paths = paths;
    this.#init = init;
    this.available = DOMAINS.filter((domain) => available.includes(domain));
  }

  /** @throws ConnectError `module.unavailable` when the module does not answer */
  async of(domain: DomainName): Promise<ModuleClient> {
    await this.#connected(domain);
    return createClient(
      ModuleService,
      reopening(() => this.#connected(domain)),
    );
  }

  async #connected(domain: DomainName): Promise<ConnectionClient> {
    const open = this.#connections.get(domain);
    return open?.isOpen() === true ? open : this.#reach(domain);
  }

  #reach(domain: DomainName): Promise<ConnectionClient> {
    const opening = this.#opening.get(domain) ?? this.#connect(domain).finally(() => this.#opening.delete(domain));
    this.#opening.set(domain, opening);
    return opening;
  }

  async #connect(domain: DomainName): Promise<ConnectionClient> {
    const socket = (await connectUnix(this.#paths.moduleSocket(domain))) ?? (await this.#started(domain));
    const connection = clientOver(socket);
    this.#connections.set(domain, connection);
    return connection;
  }

  async #started(domain: DomainName) {
    const started = await this.#init.startModule(domain);
    const socket = started.ok ? await connectUnix(this.#paths.moduleSocket(domain)) : null;
    if (socket !== null) return socket;
    throw toConnectError({
      code: "module.unavailable",
      message: started.ok ? `the ${domain} module does not listen` : started.error,
    });
  }

  /** Lets go of the modules, so that they may leave. */
  close(): void {
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }
}
