import { runAgent } from "../src/run-agent.ts";
import { fileDomain } from "./file-domain.ts";

/** The agent with two file domains in place of the real ones; everything else is the real thing. */
export const SYSTEM_FILE = "/etc/motd";
export const VPN_FILE = "/etc/swanctl/conf.d/holdfast.conf";

if (import.meta.main) {
  const argv = process.argv.slice(2);
  const root = argv[argv.indexOf("--root") + 1] ?? "/nowhere";
  const registry = { system: fileDomain("system", SYSTEM_FILE, root), vpn: fileDomain("vpn", VPN_FILE, root) };
  process.exitCode = await runAgent({ registry, version: "0.0.0-test" }, argv);
}
