import type { z } from "zod";
import type { Json } from "../base/canonical-json.ts";
import type { Finding } from "../base/finding.ts";
import type { Requirement } from "../capability/requirement.ts";
import type { DomainName } from "../domain.ts";
import type { AddressSet } from "../net/address-set.ts";
import type { Service } from "../net/service.ts";
import { formatPath } from "../policy/path.ts";
import { complaintsOf } from "../policy/schema-issue.ts";
import { outlineOf } from "../policy/schema-outline.ts";
import type { SectionSchema } from "../policy/section-schema.ts";
import type { ProvenanceEntry } from "./effective-config.ts";
import { composeFinding } from "./findings.ts";
import type { KernelSetting } from "./kernel-setting.ts";
import type { Composed, ComposeInput, LayeredSection } from "./layered-section.ts";
import type { Need } from "./need.ts";
import type { Use } from "./use.ts";

/** One side of an expectation. `self` is the server itself; its other side comes from or goes to outside. */
export type Endpoint =
  | { readonly kind: "any" }
  /** `only`: by these of its addresses; absent: by any. */
  | { readonly kind: "self"; readonly only?: AddressSet }
  | { readonly kind: "zone"; readonly name: string }
  | { readonly kind: "addresses"; readonly addresses: AddressSet };

/** A new connection, or a whole class of them. */
export interface Packets {
  readonly from: Endpoint;
  readonly to: Endpoint;
  readonly service: Service;
}

/** What the model of a domain does with all packets of a class. `unjudged`: this domain decides nothing about them. */
export interface Judgement {
  readonly verdict: "open" | "closed" | "partly" | "unjudged";
  /** Which rule or default decides, in words, for the finding. */
  readonly because: string;
}

export type ExpectChecker<Config> = (config: Config, packets: Packets) => Judgement;

/** What a domain brings to the language: the schema of its section, how its layers become one config, and what that config does to packets. */
export interface DomainLanguage extends SectionSchema {
  compose(layers: readonly LayeredSection<Json>[], context: ComposeContext): ComposedDomain;
}

export type ComposeContext = Omit<ComposeInput<never>, "layers">;

export interface ComposedDomain {
  readonly config: Json | null;
  readonly provenance: readonly ProvenanceEntry[];
  readonly findings: readonly Finding[];
  readonly needs: readonly Need[];
  readonly uses?: readonly Use[];
  readonly requires?: readonly Requirement[];
  readonly kernel?: readonly KernelSetting[];
  readonly called?: readonly string[];
  judge(packets: Packets): Judgement;
}

/** Closes over the types of one domain, so that the list of all domains needs none of them. */
export function domainLanguage<Schema extends z.ZodType, Config extends Json>(domain: {
  readonly domain: DomainName;
  readonly schema: Schema;
  readonly comesFrom?: "policy" | "tunnel";
  readonly compose: (input: ComposeInput<z.output<Schema>>) => Composed<Config>;
  readonly expects?: ExpectChecker<Config>;
}): DomainLanguage {
  return {
    domain: domain.domain,
    schema: domain.schema,
    ...(domain.comesFrom === undefined ? {} : { comesFrom: domain.comesFrom }),
    compose(layers, context) {
      const findings: Finding[] = [];
      const typed: LayeredSection<z.output<Schema>>[] = [];
      for (const layer of layers) {
        const parsed = domain.schema.safeParse(layer.section);
        if (parsed.success) {
          typed.push({ origin: layer.origin, section: parsed.data });
          continue;
        }
        // The text was right with samples in the places of its parameters, so a value is what does not fit.
        for (const complaint of complaintsOf(parsed.error.issues, layer.section, outlineOf(domain.schema))) {
          findings.push(
            composeFinding("compose.value", `With the values of this server: ${complaint.message}`, {
              document: layer.origin.document,
              path: formatPath([domain.domain, ...complaint.path]),
              ...(complaint.remedy === undefined ? {} : { remedy: complaint.remedy }),
            }),
          );
        }
      }
      if (findings.length > 0) return { config: null, provenance: [], findings, needs: [], judge: unjudged };
      const composed = domain.compose({ ...context, layers: typed });
      const { config } = composed;
      const check = domain.expects;
      return {
        ...composed,
        judge: config === null || check === undefined ? unjudged : (packets) => check(config, packets),
      };
    },
  };
}

function unjudged(): Judgement {
  return { verdict: "unjudged", because: "" };
}
