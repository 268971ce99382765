import { canonicalJson, type Json } from "../base/canonical-json.ts";
import type { Digest } from "../base/id.ts";
import type { EffectiveConfig } from "./effective-config.ts";

/** The one text of an effective config: what is digested, stored and sent. */
export function effectiveText(config: EffectiveConfig): string {
  const { server, domains, probes, trial, managementPath, whenFloorLost, secrets } = config;
  const json: Json = {
    server,
    domains,
    probes: probes.map((probe) => ({ ...probe })),
    trial: { ...trial },
    managementPath: {
      controlPlane: managementPath.controlPlane.map((end) => ({ ...end })),
      inbound: managementPath.inbound.map((entry) => ({ ...entry })),
    },
    ...(whenFloorLost === undefined ? {} : { whenFloorLost }),
    ...(secrets === undefined ? {} : { secrets: [...secrets] }),
  };
  return canonicalJson(json);
}

/** @param sha256 lower-case hex SHA-256 of a text: this room has no cryptography of its own */
export function effectiveDigest(config: EffectiveConfig, sha256: (text: string) => string): Digest {
  return sha256(effectiveText(config)) as Digest;
}
