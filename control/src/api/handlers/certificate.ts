import { certificateStanding } from "@holdfast/core/access/certificate-standing.ts";
import { holdsOn } from "@holdfast/core/access/grant.ts";
import type { Certificate } from "@holdfast/core/api/certificate.ts";
import { type CertificateRow, certificatesOf } from "../../authority/store/certificates.ts";
import { fingerprintOf } from "../../gateway/peer.ts";
import type { House } from "../../house.ts";
import { loadPlaces, seenHouse } from "../../planning/places.ts";
import { keyOf, pageAfter, pageOf } from "../cursor.ts";
import type { Handlers } from "../handler.ts";

/** By what each server's agent is known, and until when. Whoever may see a server may see that. */
export function certificateHandlers(house: House): Pick<Handlers, "listCertificates"> {
  return {
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
