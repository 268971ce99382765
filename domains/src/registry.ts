import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { type DomainLanguage, domainLanguage } from "@holdfast/core/compose/domain-language.ts";
import type { Domain, DomainName } from "@holdfast/core/domain.ts";
import { composeFirewall } from "./firewall/compose.ts";
import { firewall } from "./firewall/domain.ts";
import { checkExpectation } from "./firewall/expect.ts";
import { firewallSectionSchema } from "./firewall/section.ts";
import { composeNetwork } from "./network/compose.ts";
import { network } from "./network/domain.ts";
import { networkSectionSchema } from "./network/section.ts";
import { composeSystem } from "./system/compose.ts";
import { system } from "./system/domain.ts";
import { systemSectionSchema } from "./system/section.ts";
import { composeVpn } from "./vpn/compose.ts";
import { vpn } from "./vpn/domain.ts";
import { vpnSectionSchema } from "./vpn/section.ts";

/** The one file that names the domains. What each brings to the language of policies: */
export const DOMAIN_LANGUAGES: readonly DomainLanguage[] = [
  domainLanguage({ domain: "system", schema: systemSectionSchema, compose: composeSystem }),
  domainLanguage({ domain: "network", schema: networkSectionSchema, compose: composeNetwork }),
  domainLanguage({
    domain: "firewall",
    schema: firewallSectionSchema,
    compose: composeFirewall,
    expects: checkExpectation,
  }),
  domainLanguage({ domain: "vpn", schema: vpnSectionSchema, comesFrom: "tunnel", compose: composeVpn }),
];

/** What each does on a server. */
export const DOMAIN_MODULES = { system, network, firewall, vpn };

/** A domain's part of an effective config as native text, as far as it can be made without the server; null where it cannot be read. */
export function nativeTextOf(name: DomainName, section: Json): string | null {
  const modules: { readonly [Name in DomainName]?: (section: Json) => string | null } = {
    system: (part) => rendered(system, part),
    network: (part) => rendered(network, part),
    firewall: (part) => rendered(firewall, part),
    vpn: (part) => rendered(vpn, part),
  };
  return modules[name]?.(section) ?? null;
}

function rendered<Config extends Json, Observed extends Json>(
  domain: Domain<Config, Observed>,
  section: Json,
): string | null {
  const parsed = domain.parseConfig(section);
  return parsed.ok ? domain.render(parsed.config, null) : null;
}
