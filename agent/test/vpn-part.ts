import type { Json } from "@holdfast/core/base/canonical-json.ts";
import { composeServer } from "@holdfast/core/compose/compose.ts";
import { parseDocuments } from "@holdfast/core/policy/parse-documents.ts";
import type { SecretVersion } from "@holdfast/core/secret/secret-file.ts";
import { DOMAIN_LANGUAGES } from "@holdfast/domains/registry.ts";

/** The vpn part of a server's config, from documents and the composition that the control plane uses. */
export function vpnPart(text: string, server: string, secrets: readonly SecretVersion[] = []): Json {
  const { documents, findings } = parseDocuments(text, { domains: DOMAIN_LANGUAGES });
  const { config, findings: said } = composeServer({
    server,
    documents: documents.map((document) => ({ document, revision: 1 })),
    domains: DOMAIN_LANGUAGES,
    controlPlane: [],
    secrets,
  });
  const own = config?.domains.vpn;
  if (findings.length > 0 || own === undefined) throw new Error(JSON.stringify([...findings, ...said]));
  return own;
}
