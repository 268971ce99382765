import { existsSync } from "node:fs";
import { isUuid } from "@holdfast/core/base/id.ts";
import { err, ok, type Result } from "@holdfast/core/base/result.ts";
import { readTextIfThere, writeFileDurably } from "./os/files.ts";
import type { AgentPaths } from "./paths.ts";

/** Who this server is and whose commands it takes: written by root at enrolment and when the command key changes, public. */
export interface Identity {
  readonly serverId: string;
  readonly serverName: string;
  readonly controlPlane: { readonly host: string; readonly port: number };
  /** Raw Ed25519 public keys, hex. */
  readonly commandKeys: readonly string[];
}

/** The operator's own wishes, /etc/holdfast/agent.json. */
export interface Settings {
  readonly init: "systemd" | "plain";
  /** Seconds between two looks for drift. Shorter is seen sooner and keeps the modules running. */
  readonly driftSeconds: number;
}

const DEFAULT_DRIFT_SECONDS = 30;

export function readSettings(paths: AgentPaths): Result<Settings, string> {
  const file = readJsonFile(paths.settings);
  if (!file.ok) return file;
  const { init, driftSeconds, ...unknown } = file.value ?? {};
  const [stray] = Object.keys(unknown);
  if (stray !== undefined)
    return err(`${paths.settings}: "${stray}" is not a setting; there are init and driftSeconds`);
  if (init !== undefined && init !== "systemd" && init !== "plain")
    return err(`${paths.settings}: init must be "systemd" or "plain"`);
  if (driftSeconds !== undefined && !isInteger(driftSeconds, 1, 86_400))
    return err(`${paths.settings}: driftSeconds must be 1 to 86400`);
  return ok({ init: init ?? foundInit(paths), driftSeconds: driftSeconds ?? DEFAULT_DRIFT_SECONDS });
}

/** systemd counts only for the agent of the whole machine: units know one root. */
function foundInit(paths: AgentPaths): "systemd" | "plain" {
  return paths.root === "/" && existsSync("/run/systemd/system") ? "systemd" : "plain";
}

export function readIdentity(paths: AgentPaths): Result<Identity, string> {
  const file = readJsonFile(paths.enrolment);
  if (!file.ok) return file;
  if (file.value === null)
    return err(`this server is not enrolled: ${paths.enrolment} is missing. Run holdfast-agent enroll`);
  const { serverId, serverName, controlPlane, commandKeys } = file.value;
  if (typeof serverId !== "string" || !isUuid(serverId)) return err(`${paths.enrolment}: serverId is no UUID`);
  if (typeof serverName !== "string") return err(`${paths.enrolment}: serverName is missing`);
  const address = readAddress(controlPlane);
  if (!address.ok) return err(`${paths.enrolment}: controlPlane ${address.error}`);
  if (
    !Array.isArray(commandKeys) ||
    !commandKeys.every((key): key is string => typeof key === "string" && /^[0-9a-f]{64}$/.test(key))
  ) {
    return err(`${paths.enrolment}: commandKeys must be raw Ed25519 public keys in hex`);
  }
  return ok({ serverId, serverName, controlPlane: address.value, commandKeys });
}

/** With this file the server is enrolled. */
export function writeIdentity(paths: AgentPaths, identity: Identity): void {
  const { serverId, serverName, controlPlane, commandKeys } = identity;
  writeFileDurably(
    paths.enrolment,
    `${JSON.stringify({ serverId, serverName, controlPlane, commandKeys }, null, 2)}\n`,
    0o644,
  );
}

function readAddress(value: unknown): Result<{ host: string; port: number }, string> {
  if (typeof value !== "object" || value === null || !("host" in value) || !("port" in value))
    return err("needs host and port");
  const { host, port } = value;
  if (typeof host !== "string" || host === "" || !isInteger(port, 1, 65_535))
    return err("needs a host name and a port of 1 to 65535");
  return ok({ host, port });
}

function isInteger(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
}

function readJsonFile(path: string): Result<Record<string, unknown> | null, string> {
  const text = readTextIfThere(path);
  if (text === null) return ok(null);
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? ok(value as Record<string, unknown>)
      : err(`${path} is not a JSON object`);
  } catch (error) {
    return err(`${path} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
