import { CERTIFICATE_STANDINGS, type CertificateStanding } from "@holdfast/core/access/certificate-standing.ts";
import type { Certificate } from "@holdfast/core/api/certificate.ts";
import { Label, type LabelProps, SearchInput } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../../api/queries.ts";
import { useSearchState } from "../../app/search-state.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { TimeText } from "../../ui/time-text.tsx";
import { CommandKey } from "./command-key.tsx";

const LOOK = {
  in_two_places: { color: "red", text: "certificate.inTwoPlaces", todo: "certificate.inTwoPlaces.todo" },
  ended: { color: "red", text: "certificate.ended", todo: "certificate.ended.todo" },
  late: { color: "orange", text: "certificate.late", todo: "certificate.late.todo" },
  waits: { color: "orange", text: "certificate.waits", todo: "certificate.waits.todo" },
  valid: { color: "green", text: "certificate.valid", todo: null },
  none: { color: "grey", text: "certificate.none", todo: "certificate.none.todo" },
  revoked: { color: "grey", text: "certificate.revoked", todo: null },
} as const satisfies Record<
  CertificateStanding,
  { color: NonNullable<LabelProps["color"]>; text: MessageKey; todo: MessageKey | null }
>;

/** More rows at once make a browser slow. The worst come first, and the filter finds the rest. */
const MOST_ROWS = 300;

/** By what each server is known to the house, and what the servers obey. */
export function AgentsPage(): ReactNode {
  const t = useT();
  const certificates = useQuery(queries.certificates());
  return (
    <>
      <PageHead title={t("nav.agents")} sub={t("agents.sub")} />
      <PageBody>
        <div className="hf-stack">
          <section>
            <h2 className="hf-small-title">{t("certificate.title")}</h2>
            <Loaded query={certificates} what={t("what.certificates")}>
              {(all) => <Certificates all={all} />}
            </Loaded>
          </section>
          <CommandKey />
        </div>
      </PageBody>
    </>
  );
}

function Certificates({ all }: { readonly all: readonly Certificate[] }): ReactNode {
  const t = useT();
  const [filter, setFilter] = useSearchState("q");
  const words = filter.toLowerCase();
  const found = all
    .filter(
      ({ server, standing, fingerprint }) =>
        server.includes(words) ||
        t(LOOK[standing].text).toLowerCase().includes(words) ||
        (fingerprint ?? "").toLowerCase().includes(words),
    )
    .toSorted((a, b) => rankOf(a) - rankOf(b) || (a.server < b.server ? -1 : 1));
  if (all.length === 0) return <p className="hf-quiet">{t("certificate.empty")}</p>;
  return (
    <div className="hf-stack">
      <div className="hf-line-row">
        <SearchInput
          className="hf-search"
          aria-label={t("certificate.filter")}
          placeholder={t("certificate.filter")}
          value={filter}
          onChange={(_event, value) => setFilter(value)}
          onClear={() => setFilter("")}
        />
        <span className="hf-badges">
          {CERTIFICATE_STANDINGS.map((standing) => {
            const count = all.filter((one) => one.standing === standing).length;
            return count === 0 ? null : (
              <Label key={standing} isCompact color={LOOK[standing].color}>
                {t(LOOK[standing].text)}: {count}
              </Label>
            );
          })}
        </span>
      </div>
      <table className="hf-table">
        <caption className="hf-sr">{t("certificate.title")}</caption>
        <TableHead
          columns={[
            "certificate.server",
            "certificate.standing",
            "certificate.ends",
            "certificate.since",
            { number: "certificate.earlier" },
            "certificate.fingerprint",
          ]}
        />
        <tbody>
          {found.slice(0, MOST_ROWS).map((one) => (
            <Row key={one.server} certificate={one} />
          ))}
        </tbody>
      </table>
      {found.length === 0 ? <p className="hf-quiet">{t("certificate.noMatch")}</p> : null}
      {found.length > MOST_ROWS ? (
        <p className="hf-quiet">{t("certificate.more", { count: found.length - MOST_ROWS })}</p>
      ) : null}
    </div>
  );
}

function Row({ certificate }: { readonly certificate: Certificate }): ReactNode {
  const t = useT();
  const { server, standing, notAfter, since, earlier, fingerprint, revokedAt, connected } = certificate;
  const { color, text, todo } = LOOK[standing];
  return (
    <tr>
      <td data-label={t("certificate.server")}>
        <AppLink to={paths.server(server)}>{server}</AppLink>{" "}
        {connected || standing === "revoked" || standing === "none" ? null : (
          <span className="hf-quiet">{t("status.offline")}</span>
        )}
      </td>
      <td data-label={t("certificate.standing")}>
        <Label isCompact color={color}>
          {t(text)}
        </Label>{" "}
        {todo === null ? null : <span>{t(todo)}</span>}
      </td>
      <td data-label={t("certificate.ends")}>
        {standing === "revoked" && revokedAt !== null ? (
          <TimeText at={revokedAt} />
        ) : notAfter === null ? (
          "—"
        ) : (
          <TimeText at={notAfter} isEnd />
        )}
      </td>
      <td data-label={t("certificate.since")}>{since === null ? "—" : <TimeText at={since} />}</td>
      <td data-label={t("certificate.earlier")} className="hf-number">
        {earlier}
      </td>
      <td data-label={t("certificate.fingerprint")}>
        {fingerprint === null ? "—" : <code className="hf-break">{fingerprint}</code>}
      </td>
    </tr>
  );
}

function rankOf({ standing }: Certificate): number {
  return CERTIFICATE_STANDINGS.indexOf(standing);
}
