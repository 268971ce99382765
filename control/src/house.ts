import type { InstanceId } from "@holdfast/core/base/id.ts";
import type { DomainLanguage } from "@holdfast/core/compose/domain-language.ts";
import type { ManagementPath } from "@holdfast/core/plan/management-path.ts";
import type { Logger } from "pino";
import type { PasswordHasher } from "./account/password.ts";
import type { RelyingParty } from "./account/relying-party.ts";
import type { Seal } from "./account/seal.ts";
import type { AskServers } from "./audit/ask-servers.ts";
import type { AuditWitness } from "./audit/witness.ts";
import type { EvidenceLinks } from "./evidence-links.ts";
import type { OidcProvider } from "./oidc/provider.ts";
import type { AskAgent } from "./planning/ask-agent.ts";
import type { DocumentCache } from "./planning/document-cache.ts";
import type { SecretStore } from "./secrets/secret-store.ts";
import type { CommandSigner } from "./signer/command-signer.ts";
import type { Database, Queryable } from "./store/database.ts";
import type { Traces } from "./trace/traces.ts";

/** What everything that answers people works with. Made once, in main.ts or by a test. */
export interface House {
  readonly instanceId: InstanceId;
  readonly database: Database;
  readonly documents: DocumentCache;
  readonly languages: readonly DomainLanguage[];
  readonly agents: AskAgent;
  readonly passwords: PasswordHasher;
  readonly secrets: SecretStore;
  readonly witness: AuditWitness;
  /** What all servers keep of the audit log. */
  readonly askServers: AskServers;
  /** What servers obey; the key itself is the signer's. */
  readonly commandKey: Pick<CommandSigner, "publicKeyHex" | "keyId" | "links">;
  /** For second factors, and for sign-ins under way. */
  readonly seal: Seal;
  /** For the MAC by which a repeated request is known again; the same in every instance. */
  readonly idempotencyKey: Buffer;
  /** Who signs people in beside the passwords; null: nobody. */
  readonly oidc: OidcProvider | null;
  /** For passkeys. */
  readonly relyingParty: RelyingParty;
  /** Where agents dial, as literal addresses: composed configs keep these open. */
  readonly controlPlane: ManagementPath["controlPlane"];
  readonly enrolment: EnrolmentFacts;
  readonly nowMs: () => number;
  /** Where spans go. */
  readonly traces: Traces;
  /** Where people look at logs and traces. */
  readonly evidence: EvidenceLinks;
  readonly log: Logger;
  /** Counted where it happens; shown by the metrics. */
  readonly onRefusedConcurrent: () => void;
}

/** The house as somebody sees it: what is only shown is read through this. */
export type SeenHouse = Omit<House, "database"> & { readonly database: Queryable };

/** What a new server has to be told. */
export interface EnrolmentFacts {
  /** HOST:PORT that agents dial. */
  readonly dial: string;
  /** Lower-case hex SHA-256 of the authority's certificate: the server pins it. */
  readonly caFingerprint: string;
}
