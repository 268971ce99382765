import { type DomainLanguage, domainLanguage } from "@holdfast/core/compose/domain-language.ts";
import { composeFirewall } from "./firewall/compose.ts";
import { firewall } from "./firewall/domain.ts";
import { checkExpectation } from "./firewall/expect.ts";
import { firewallSectionSchema } from "./firewall/section.ts";

/** The one file that names the domains. What each brings to the language of policies: */
export const DOMAIN_LANGUAGES: readonly DomainLanguage[] = [
  domainLanguage({
    domain: "firewall",
    schema: firewallSectionSchema,
    compose: composeFirewall,
    expects: checkExpectation,
  }),
];

/** What each does on a server. */
export const DOMAIN_MODULES = { firewall };
