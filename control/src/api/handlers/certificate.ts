import { X509Certificate } from "node:crypto";
import { certificateStanding } from "@holdfast/core/access/certificate-standing.ts";
import { holdsOn } from "@holdfast/core/access/grant.ts";
import type { Certificate, PersonCertificate } from "@holdfast/core/api/certificate.ts";
import { RENEW_BEFORE_SECONDS } from "@holdfast/core/secret/rotation.ts";
import { type CertificateRow, certificatesOf } from "../../authority/store/certificates.ts";
import { fingerprintOf } from "../../gateway/peer.ts";
import type { House } from "../../house.ts";
import { certifyPerson, lookAtPersonRequest } from "../../planning/certify-person.ts";
import { issuerOf, peopleCertificates, readCertificate } from "../../planning/people-certificates.ts";
import { loadPlaces, seenHouse } from "../../planning/places.ts";
import { loadWorld } from "../../planning/world.ts";
import { keyOf, pageAfter, pageOf } from "../cursor.ts";
import type { Handlers } from "../handler.ts";

type CertificateRoutes = "listCertificates" | "lookAtPersonRequest" | "certifyPerson" | "listCertifiedPeople";

/** By what each server's agent is known, and until when: whoever may see a server may see that. And by what people of tunnels are; tunnels are seen by everybody. */
export function certificateHandlers(house: House): Pick<Handlers, CertificateRoutes> {
  return {
    async lookAtPersonRequest({ caller, body }) {
      return { value: await lookAtPersonRequest(house, caller, body) };
    },

    async certifyPerson({ caller, body }) {
      const { certificate, authority } = await certifyPerson(house, caller, body);
      const by = new X509Certificate(Buffer.from(authority, "base64"));
      const read = new X509Certificate(Buffer.from(certificate, "base64"));
      return { value: { ...personView(read, body.identity, by), authorityPem: by.toString() } };
    },

    async listCertifiedPeople({ query }) {
      const world = await loadWorld(house.database, house.documents);
      const all = peopleCertificates(world).map((one) => ({ ...one, key: `${one.tunnel} ${one.person} ${one.body}` }));
      const page = pageAfter(
        all,
        keyOf(query.cursor, (key) => key !== ""),
        query.limit,
        ({ key }) => key,
      );
      const { items, nextCursor } = pageOf(
        page,
        query.limit,
        ({ key }) => key,
        (one) => one,
      );
      // What cannot be read is no certificate, and nothing is planned with it.
      const views = items.flatMap(({ tunnel, person, identity, as, body }) => {
        const read = readCertificate(body);
        return read === null
          ? []
          : [{ tunnel, person, as: [...as], ...personView(read, identity, issuerOf(read, world.secrets)) }];
      });
      return { value: { items: views, nextCursor } };
    },

    async listCertificates({ caller, query }) {
      const places = (await loadPlaces(house)).filter(
        (place) => holdsOn(caller.grants, "view", place) && (query.name === undefined || place.name === query.name),
      );
      const page = pageAfter(
        places,
        keyOf(query.cursor, (key) => key !== ""),
        query.limit,
        (place) => place.name,
      );
      const { database } = await seenHouse(house, caller);
      const rows = await certificatesOf(
        database,
        page.slice(0, query.limit).map(({ id }) => id),
      );
      const { nextCursor } = pageOf(
        page,
        query.limit,
        (place) => place.name,
        (place) => place,
      );
      return { value: { items: rows.map((row) => certificateView(row, house.nowMs())), nextCursor } };
    },
  };
}

function personView(read: X509Certificate, identity: string, by: X509Certificate | null): PersonCertificate {
  return {
    identity,
    subject: oneLine(read.subject),
    issuer: oneLine(read.issuer),
    serial: read.serialNumber.toLowerCase(),
    fingerprint: read.fingerprint256.replaceAll(":", "").toLowerCase(),
    notBefore: read.validFromDate.toISOString(),
    notAfter: read.validToDate.toISOString(),
    dueAt: new Date(read.validToDate.getTime() - RENEW_BEFORE_SECONDS * 1_000).toISOString(),
    isChained: by !== null,
    pem: read.toString(),
  };
}

/** Node writes a name in lines. */
function oneLine(name: string): string {
  return name.split("\n").join(", ");
}

function certificateView(row: CertificateRow, nowMs: number): Certificate {
  const notAfterMs = row.not_after?.getTime() ?? null;
  return {
    server: row.name,
    standing: certificateStanding({ enrolment: row.enrolment, lockedCode: row.locked_code, notAfterMs }, nowMs),
    fingerprint: row.tls_key_sha256 === null ? null : fingerprintOf(row.tls_key_sha256),
    serial: row.certificate_serial,
    since: row.created_at?.toISOString() ?? null,
    notAfter: row.not_after?.toISOString() ?? null,
    earlier: row.earlier,
    revokedAt: row.revoked_at?.toISOString() ?? null,
    connected: row.connected,
  };
}
