import { Label } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { paths } from "../../paths.ts";
import { CopyText } from "../../ui/copy-text.tsx";
import { AppLink } from "../../ui/link.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { TimeText } from "../../ui/time-text.tsx";

/** Certificates that tunnels name for people: whose, until when, and whether they let anybody in yet. None: nothing is said. */
export function CertifiedPeople(): ReactNode {
  const t = useT();
  const people = useQuery(queries.certifiedPeople());
  if (people.data === undefined || people.data.length === 0) return null;
  return (
    <section>
      <h2 className="hf-small-title">{t("certified.title")}</h2>
      <table className="hf-table">
        <TableHead columns={["certified.person", "certified.ends", "certified.due", "certified.inForce"]} />
        <tbody>
          {people.data.map((one) => (
            <tr key={`${one.tunnel} ${one.person} ${one.fingerprint}`}>
              <td data-label={t("certified.person")}>
                <strong>{one.person}</strong> <span className="hf-quiet">{one.identity}</span>
                <div>
                  <AppLink to={paths.document("Tunnel", one.tunnel)}>{`Tunnel/${one.tunnel}`}</AppLink>{" "}
                  <CopyText text={one.pem} shown={t("certify.copy")} />
                </div>
                {one.isChained ? null : (
                  <Label isCompact color="red">
                    {t("secrets.certificate.broken")}
                  </Label>
                )}
              </td>
              <td data-label={t("certified.ends")}>
                <TimeText at={one.notAfter} isEnd />
              </td>
              <td data-label={t("certified.due")}>
                <TimeText at={one.dueAt} isEnd />
              </td>
              <td data-label={t("certified.inForce")}>
                {t(one.as.includes("in_force") ? "certified.inForce.yes" : "certified.inForce.no")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
