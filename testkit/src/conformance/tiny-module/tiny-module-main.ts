import { parseArgs } from "node:util";
import { brokenVariants, isVariant } from "./broken-variants.ts";
import { tinyModule } from "./tiny-module.ts";
import { serveModule } from "./tiny-server.ts";

/** The tiny module as a process; with `--broken VARIANT` one of those that the conformance kit must reject. */
const text = { type: "string", default: "" } as const;
const { values } = parseArgs({
  options: { socket: text, state: text, ledger: text, snapshots: text, broken: text },
  strict: true,
});
const { socket, state, ledger, snapshots, broken } = values;
const honest = tinyModule({ state, ledger, snapshots });
if (broken !== "" && !isVariant(broken)) throw new Error(`there is no variant ${broken}`);
await serveModule(broken === "" ? honest : brokenVariants[broken]({ honest, state, ledger }), socket);
