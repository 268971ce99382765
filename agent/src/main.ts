import { DOMAIN_MODULES } from "@holdfast/domains/registry.ts";
import packageJson from "../package.json" with { type: "json" };
import { runAgent } from "./run-agent.ts";

process.exitCode = await runAgent({ registry: DOMAIN_MODULES, version: packageJson.version }, process.argv.slice(2));
