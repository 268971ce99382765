import type { X509Certificate } from "node:crypto";
import type { Finding } from "@holdfast/core/base/finding.ts";
import { namedKeys } from "@holdfast/core/compose/tunnel-key.ts";
import { parseAddress } from "@holdfast/core/net/address.ts";
import { documentId } from "@holdfast/core/policy/document.ts";
import { formatPath } from "@holdfast/core/policy/path.ts";
import type { TrustedCertificate } from "@holdfast/core/policy/tunnel-document.ts";
import { RENEW_BEFORE_SECONDS } from "@holdfast/core/secret/rotation.ts";
import type { House } from "../house.ts";
import { catalogue } from "../secrets/secret-store.ts";
import { listVersions } from "../store/secrets.ts";
import type { Composition } from "./compose-for.ts";
import { certificatesIn, haveOneKey, issuerOf, type NamedCertificate, readCertificate } from "./people-certificates.ts";
import { planningFinding } from "./planning-findings.ts";
import type { Edit } from "./selection.ts";
import type { World } from "./world.ts";

/**
 * Certificates of the tunnels of a plan. Composing knows neither a clock nor a library; whoever plans has both, and charon would say of all of these only
 * that nobody could be authenticated.
 */
export async function certificateFindings(
  { database, nowMs }: Pick<House, "database" | "nowMs">,
  edits: readonly Edit[],
  { selected }: Composition,
): Promise<readonly Finding[]> {
  const tunnels = selected.documents.flatMap(({ document }) =>
    document.kind === "Tunnel" && document.body.key.from === "certificate" ? [document] : [],
  );
  if (tunnels.length === 0) return [];
  const versions = await listVersions(database);
  const secrets = await catalogue(database);
  const people = tunnels.flatMap(certificatesIn);
  return tunnels.flatMap((tunnel) => {
    const own = namedKeys(tunnel).flatMap(({ key, secret, server }) => {
      const version = key.from === "certificate" ? key.version : 0;
      const row = versions.find((one) => one.name === secret && one.version === version);
      if (row?.certificate === undefined || row.certificate === null || row.authority === null) return [];
      return ownFindings(`The certificate of ${server ?? ""}`, row.certificate, row.authority, nowMs());
    });
    const theirs = tunnel.body.ends.flatMap((end) =>
      end.kind === "external" && end.trusted !== null
        ? theirFindings(end.name, end.identity, end.trusted, nowMs()).map((finding) => ({
            ...finding,
            path: formatPath(["ends", end.name, end.trusted?.of === "authority" ? "authority" : "certificate"]),
          }))
        : [],
    );
    const persons = tunnel.body.ends.flatMap((end) =>
      certificatesIn(tunnel).flatMap((one) =>
        end.kind !== "people"
          ? []
          : personFindings(one, people, secrets, nowMs()).map((finding) => ({
              ...finding,
              path: formatPath(["ends", end.name, "people", one.person, "certificate"]),
            })),
      ),
    );
    // A tunnel that this change leaves alone does not hold it up: somebody may be mending something else.
    const isEdited = edits.some(({ kind, name }) => kind === "Tunnel" && name === tunnel.name);
    return [...own, ...theirs, ...persons].map((finding) => ({
      ...finding,
      severity: isEdited ? finding.severity : "warning",
      document: documentId(tunnel),
    }));
  });
}

/** Whether what the house has issued is good now, and ends at the authority that was told beside it. */
export function ownFindings(what: string, certificate: string, authority: string, nowMs: number): readonly Finding[] {
  const [read, by] = [readCertificate(certificate), readCertificate(authority)];
  const isChained = read !== null && by !== null && read.checkIssued(by) && read.verify(by.publicKey);
  if (read === null || !isChained)
    return [planningFinding("plan.certificate_chain", `${what} was not issued by its authority.`, "auth.certificate")];
  // That it is due a month before is said of the key beside it (key-findings.ts).
  return read.validToDate.getTime() > nowMs
    ? []
    : [planningFinding("plan.certificate_ended", ended(what, read), "auth.certificate")];
}

/** What a document names for a person: somebody may have copied another one, or have let it end. */
export function personFindings(
  { person, identity, body }: NamedCertificate,
  people: readonly NamedCertificate[],
  secrets: World["secrets"],
  nowMs: number,
): readonly Finding[] {
  const what = `The certificate of ${person}`;
  const read = readCertificate(body);
  if (read === null) return [planningFinding("plan.certificate_unreadable", `${what} cannot be read.`)];
  const holder = people.find((one) => {
    const other = one.identity.toLowerCase() === identity.toLowerCase() ? null : readCertificate(one.body);
    return other !== null && haveOneKey(read, other);
  });
  const endsMs = read.validToDate.getTime();
  return [
    ...(issuerOf(read, secrets) === null
      ? [planningFinding("plan.certificate_chain", `${what} was not issued by an authority of tunnels of this house.`)]
      : []),
    ...(endsMs <= nowMs
      ? [
          planningFinding(
            "plan.certificate_ended",
            `${what} ended ${read.validToDate.toISOString()}: the server refuses it.`,
          ),
        ]
      : endsMs - nowMs <= RENEW_BEFORE_SECONDS * 1_000
        ? [planningFinding("plan.certificate_ends", `${what} ends ${read.validToDate.toISOString()}.`)]
        : []),
    ...(names(read, identity)
      ? []
      : [
          planningFinding(
            "plan.certificate_other_name",
            `${what} is for ${read.subjectAltName ?? read.subject}, and the document says ${identity}.`,
          ),
        ]),
    ...(holder === undefined
      ? []
      : [
          planningFinding(
            "plan.certificate_same_key",
            `${what} has the key of ${holder.person} (${holder.identity}) in ${holder.tunnel}: nobody could say which of them calls.`,
          ),
        ]),
  ];
}

/** What an administrator elsewhere has sent: somebody may have copied the wrong file. */
export function theirFindings(
  end: string,
  identity: string,
  { of, certificate }: TrustedCertificate,
  nowMs: number,
): readonly Finding[] {
  const what = of === "authority" ? `The authority of ${end}` : `The certificate of ${end}`;
  const read = readCertificate(certificate);
  if (read === null) return [planningFinding("plan.certificate_unreadable", `${what} cannot be read.`)];
  const endsMs = read.validToDate.getTime();
  const time =
    endsMs <= nowMs
      ? [planningFinding("plan.certificate_ended", ended(what, read))]
      : endsMs - nowMs <= RENEW_BEFORE_SECONDS * 1_000
        ? [planningFinding("plan.certificate_ends", `${what} ends ${read.validToDate.toISOString()}.`)]
        : read.validFromDate.getTime() > nowMs
          ? [
              planningFinding(
                "plan.certificate_ended",
                `${what} is not good before ${read.validFromDate.toISOString()}.`,
              ),
            ]
          : [];
  if (of === "authority")
    return read.ca
      ? time
      : [...time, planningFinding("plan.certificate_no_authority", `${what} is a certificate that may issue none.`)];
  return names(read, identity)
    ? time
    : [
        ...time,
        planningFinding(
          "plan.certificate_other_name",
          `${what} is for ${read.subjectAltName ?? read.subject}, and the end calls itself ${identity}.`,
        ),
      ];
}

function ended(what: string, read: X509Certificate): string {
  return `${what} ended ${read.validToDate.toISOString()}: the other end refuses it.`;
}

function names(read: X509Certificate, identity: string): boolean {
  if (parseAddress(identity).ok) return read.checkIP(identity) !== undefined;
  // Only what stands there letter for letter: charon knows no patterns in a certificate.
  const alternatives = (read.subjectAltName ?? "").split(", ").map((part) => part.toLowerCase());
  const kind = identity.includes("@") ? "email" : "dns";
  return alternatives.includes(`${kind}:${identity.toLowerCase()}`);
}
