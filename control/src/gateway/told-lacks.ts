import type { Json } from "@holdfast/core/base/canonical-json.ts";
import type { Lack, LacksByDomain } from "@holdfast/core/capability/lack.ts";
import { DOMAINS } from "@holdfast/core/domain.ts";
import type { DomainState } from "@holdfast/proto/gen/holdfast/v1/host_pb.ts";
import { z } from "zod";

/** What is kept of one domain. A module has a handful; beyond that it is no list for people any more. */
const MOST_LACKS = 50;
/** Of each text: they are shown to people, and come from a machine that may be anybody's. */
const MOST_LETTERS = 1_000;

const text = z.string().max(MOST_LETTERS);
const lack = z.object({ feature: text, code: text, reason: text, remedy: text });
const lacks = z.array(lack).max(MOST_LACKS).optional();
const stored = z.object({ system: lacks, network: lacks, firewall: lacks, vpn: lacks });

/** What an agent says that its server cannot do. A domain that could not be read, or whose module does not say, is left out. */
export function toldLacks(states: readonly DomainState[]): LacksByDomain {
  return Object.fromEntries(
    DOMAINS.flatMap((domain): [string, readonly Lack[]][] => {
      const state = states.find((one) => one.domain === domain);
      if (state?.lacks === undefined || state.error !== "") return [];
      return [[domain, state.lacks.lacks.slice(0, MOST_LACKS).map(shortened)]];
    }),
  );
}

function shortened({ feature, code, reason, remedy }: Lack): Lack {
  const short = (value: string): string => value.slice(0, MOST_LETTERS);
  return { feature: short(feature), code: short(code), reason: short(reason), remedy: short(remedy) };
}

/** What was kept of it. Of what cannot be read any more nothing is known. */
export function lacksOf(row: { readonly lacks: Json }): LacksByDomain {
  const parsed = stored.safeParse(row.lacks);
  if (!parsed.success) return {};
  return Object.fromEntries(
    DOMAINS.flatMap((domain) => (parsed.data[domain] === undefined ? [] : [[domain, parsed.data[domain]]])),
  );
}
