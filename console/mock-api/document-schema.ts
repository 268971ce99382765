import { floorSchema } from "@holdfast/core/policy/floor-document.ts";
import { groupSchema } from "@holdfast/core/policy/group-document.ts";
import { policySchema } from "@holdfast/core/policy/policy-document.ts";
import { serverSchema } from "@holdfast/core/policy/server-document.ts";
import { tunnelSchema } from "@holdfast/core/policy/tunnel-document.ts";
import { DOMAIN_LANGUAGES } from "@holdfast/domains/registry.ts";
import { z } from "zod";

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  Policy: policySchema(DOMAIN_LANGUAGES),
  Server: serverSchema,
  Tunnel: tunnelSchema,
  Group: groupSchema,
  Floor: floorSchema,
};

/** As the control plane publishes it: what is used twice is referred to. */
export function documentSchema(kind: string): unknown {
  const schema = SCHEMAS[kind];
  return schema === undefined ? null : z.toJSONSchema(schema, { io: "input", reused: "ref" });
}
