import { z } from "zod";
import { type DomainName, DOMAINS } from "../domain.ts";
import { API_VERSION, type Sections } from "./document.ts";
import { expectationsSchema } from "./expectation.ts";
import { type ParameterDeclarations, parameterDeclarationsSchema } from "./parameter.ts";
import { type SectionSchema, writtenSections } from "./section-schema.ts";
import { type Selector, selectorSchema } from "./selector.ts";
import { addressReferenceText, documentNameText, itemNameText, oneOrList, proseText } from "./text-schema.ts";

/** From wide to narrow; the floor stands above all of them. */
export const LAYERS = ["fleet", "site", "role", "server"] as const;
export type Layer = (typeof LAYERS)[number];

export interface PolicyBody {
  readonly description?: string;
  readonly layer: Layer;
  readonly selector: Selector;
  readonly params: ParameterDeclarations;
  readonly sections: Sections;
}

export const definitionsSchema = z
  .record(itemNameText, oneOrList(addressReferenceText))
  .meta({ description: "Addresses with a name of their own, for this policy only." });

/** The whole document. Domains that are not in the list have no key here. */
export function policySchema(sections: readonly SectionSchema[]) {
  const bySection: Partial<Record<DomainName, z.ZodType>> = Object.fromEntries(
    DOMAINS.flatMap((domain) => {
      const found = writtenSections(sections).find((section) => section.domain === domain);
      return found === undefined ? [] : [[domain, found.schema.optional()]];
    }),
  );
  return z
    .strictObject({
      apiVersion: z.literal(API_VERSION),
      kind: z.literal("Policy"),
      name: documentNameText,
      description: proseText("What the policy is for.").optional(),
      layer: z.enum(LAYERS).meta({ description: "How wide it holds; the narrower layer wins over the wider." }),
      selector: selectorSchema,
      params: parameterDeclarationsSchema.optional(),
      define: definitionsSchema.optional(),
      expect: expectationsSchema.optional(),
      ...bySection,
    })
    .meta({ title: "Policy", description: "Settings that several servers may share." });
}
