import type { DomainLanguage } from "@holdfast/core/compose/domain-language.ts";
import { floorSchema } from "@holdfast/core/policy/floor-document.ts";
import { groupSchema } from "@holdfast/core/policy/group-document.ts";
import { policySchema } from "@holdfast/core/policy/policy-document.ts";
import { serverSchema } from "@holdfast/core/policy/server-document.ts";
import { tunnelSchema } from "@holdfast/core/policy/tunnel-document.ts";
import { z } from "zod";

/** The published JSON Schema of a kind of document, as an author writes it; null for a kind that this version does not read. */
export function documentJsonSchema(kind: string, languages: readonly DomainLanguage[]): unknown {
  switch (kind) {
    case "Policy":
      return publish(policySchema(languages));
    case "Server":
      return publish(serverSchema);
    case "Tunnel":
      return languages.some(({ domain }) => domain === "vpn") ? publish(tunnelSchema) : null;
    case "Group":
      return publish(groupSchema);
    case "Floor":
      return publish(floorSchema);
    default:
      return null;
  }
}

function publish(schema: z.ZodType): unknown {
  return z.toJSONSchema(schema, { io: "input", reused: "ref" });
}
