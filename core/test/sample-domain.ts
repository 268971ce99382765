import { z } from "zod";
import { domainLanguage, type Judgement, type Packets } from "../src/compose/domain-language.ts";
import type { Composed, ComposeInput } from "../src/compose/layered-section.ts";
import { namedMerge } from "../src/compose/named-merge.ts";
import { scalarMerge } from "../src/compose/scalar-merge.ts";
import { addressSetToJson, union } from "../src/net/address-set.ts";
import { formatService } from "../src/net/service.ts";
import {
  addressReferenceText,
  expiresText,
  itemNameText,
  oneOrList,
  portNumber,
  proseText,
  rateText,
  serviceReferenceText,
  withoutList,
} from "../src/policy/text-schema.ts";

/**
 * A small firewall of its own for the tests of the language: enough shape to write the examples, and a model that can judge simple rules.
 * The real one lives in the domain; the language must not need it.
 */
const ruleSchema = z.strictObject({
  name: itemNameText,
  allow: oneOrList(serviceReferenceText).optional().meta({ description: "Services that are let in." }),
  drop: oneOrList(serviceReferenceText).optional().meta({ description: "Services that are discarded." }),
  reject: oneOrList(serviceReferenceText).optional().meta({ description: "Services that are refused." }),
  from: oneOrList(addressReferenceText)
    .optional()
    .meta({ description: "Where packets come from.", examples: ["office"] }),
  to: oneOrList(addressReferenceText).optional(),
  limit: z.strictObject({ rate: rateText, per: z.enum(["source", "rule"]) }).optional(),
  expires: expiresText.optional(),
  enabled: z.boolean().optional(),
  why: proseText("Why.").optional(),
});
const hookSchema = z.strictObject({
  default: z.enum(["allow", "drop", "reject"]).optional().meta({ description: "What no rule matches." }),
  log: rateText.optional(),
  rules: z.array(ruleSchema).optional(),
  without: withoutList.optional(),
});
const sectionSchema = z.strictObject({
  mode: z.enum(["enforce", "observe"]).optional(),
  zones: z.record(itemNameText, oneOrList(itemNameText)).optional(),
  inbound: hookSchema.optional(),
  forward: hookSchema.optional(),
  outbound: hookSchema.optional(),
  nat: z
    .strictObject({
      masquerade: z
        .array(
          z.strictObject({
            name: itemNameText,
            from: oneOrList(addressReferenceText),
            to: oneOrList(addressReferenceText),
          }),
        )
        .optional(),
      publish: z
        .array(
          z.strictObject({
            name: itemNameText,
            service: serviceReferenceText,
            at: addressReferenceText,
            to: addressReferenceText,
            port: portNumber.optional(),
            from: oneOrList(addressReferenceText),
            hairpin: oneOrList(addressReferenceText).optional(),
          }),
        )
        .optional(),
    })
    .optional(),
});
type Section = z.output<typeof sectionSchema>;

// Type aliases, so that a config is plain JSON to the compiler.
type SampleRule = {
  readonly name: string;
  readonly verb: "allow" | "block";
  readonly services: readonly string[];
  readonly from: readonly string[];
};
export type SampleConfig = { readonly mode: string; readonly default: string; readonly rules: readonly SampleRule[] };

function compose(input: ComposeInput<Section>): Composed<SampleConfig> {
  if (input.layers.length === 0) return { config: null, provenance: [], findings: [], needs: [] };
  const stated = <Value>(path: string, pick: (section: Section) => Value | undefined) =>
    input.layers.flatMap(({ origin, section }) => {
      const value = pick(section);
      return value === undefined ? [] : [{ origin: { ...origin, path }, value }];
    });
  const mode = scalarMerge(
    "firewall.mode",
    stated("firewall.mode", (section) => section.mode),
  );
  const fallback = scalarMerge(
    "firewall.inbound.default",
    stated("firewall.inbound.default", (section) => section.inbound?.default),
  );
  const findings = [...mode.findings, ...fallback.findings];
  const merged = namedMerge<SampleRule>(
    "firewall.inbound.rules",
    input.layers.map(({ origin, section }) => ({
      origin,
      items: (section.inbound?.rules ?? []).map((rule, index) => {
        const path = `firewall.inbound.rules[${index}]`;
        const verb = rule.allow === undefined ? "block" : "allow";
        const from = (rule.from ?? ["any"]).map((text, place) => {
          if (text.startsWith("zone:")) return null;
          const found = input.lookup.addresses(text, origin, `${path}.from[${place}]`);
          if (!found.ok) findings.push(found.error);
          return found.ok ? found.value : null;
        });
        const services = (rule.allow ?? rule.drop ?? rule.reject ?? []).flatMap((text, place) => {
          const found = input.lookup.services(
            text,
            origin,
            `${path}.${rule.allow === undefined ? "drop" : "allow"}[${place}]`,
          );
          if (!found.ok) findings.push(found.error);
          return found.ok ? found.value.map(formatService) : [];
        });
        const value: SampleRule = {
          name: rule.name,
          verb,
          services,
          from: addressSetToJson(union(...from.filter((set) => set !== null))),
        };
        return { name: rule.name, value, origin: { ...origin, path } };
      }),
      without: (section.inbound?.without ?? []).map((one, index) => ({
        ...one,
        origin: { ...origin, path: `firewall.inbound.without[${index}]` },
      })),
    })),
    "narrow_first",
  );
  return {
    config: {
      mode: mode.value ?? "observe",
      default: fallback.value ?? "drop",
      rules: merged.items.map((item) => item.value),
    },
    provenance: [...mode.provenance, ...fallback.provenance, ...merged.provenance],
    findings: [...findings, ...merged.findings],
    needs: [],
  };
}

/** Judges what comes from anywhere to the server itself by the service alone. */
function judge(config: SampleConfig, packets: Packets): Judgement {
  if (packets.to.kind !== "self" || packets.from.kind === "zone") return { verdict: "unjudged", because: "" };
  const rule = config.rules.find((one) => one.services.includes(formatService(packets.service)));
  if (rule !== undefined)
    return { verdict: rule.verb === "allow" ? "open" : "closed", because: `the rule ${rule.name} decides.` };
  return {
    verdict: config.default === "allow" ? "open" : "closed",
    because: `no rule matches and the default is ${config.default}.`,
  };
}

export const sampleFirewall = domainLanguage({ domain: "firewall", schema: sectionSchema, compose, expects: judge });
export const SAMPLE_DOMAINS = [sampleFirewall];
