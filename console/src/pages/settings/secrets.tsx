import type { Secret, SecretCertificateView } from "@holdfast/core/api/secret.ts";
import { TUNNEL_AUTHORITY_SECRET } from "@holdfast/core/secret/secret-file.ts";
import { Label } from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { call } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useDenied } from "../../api/session.ts";
import { useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { paths } from "../../paths.ts";
import { CopyText } from "../../ui/copy-text.tsx";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { TimeText } from "../../ui/time-text.tsx";
import { CertifiedPeople } from "./certified-people.tsx";
import { RotateDialog } from "./rotate-dialog.tsx";
import { SecretDialog } from "./secret-dialog.tsx";

type Open = { readonly kind: "new" } | { readonly kind: "put" | "rotate" | "delete"; readonly secret: Secret } | null;

/** Secrets by name and fingerprint. No value ever comes here: it is written, and then only servers get it. */
export function SecretsPage(): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const denied = useDenied()("edit");
  const secrets = useQuery(queries.secrets());
  const [open, setOpen] = useState<Open>(null);
  const remove = useMutation({
    mutationFn: ({ name, etag }: Secret) => call("deleteSecret", { params: { name }, ifMatch: etag }),
    onSuccess: () => setOpen(null),
    onSettled: () => client.invalidateQueries({ queryKey: ["listSecrets"] }),
  });
  const close = (): void => {
    setOpen(null);
    remove.reset();
  };
  return (
    <>
      <PageHead
        title={t("nav.secrets")}
        sub={t("secrets.sub")}
        actions={
          <ReasonButton reason={denied} onClick={() => setOpen({ kind: "new" })}>
            {t("secrets.new")}
          </ReasonButton>
        }
      />
      <PageBody>
        <div className="hf-stack">
          <Loaded query={secrets} what={t("what.secrets")}>
            {(items) =>
              items.length === 0 ? (
                <p className="hf-quiet">{t("secrets.none")}</p>
              ) : (
                <SecretTable items={items} denied={denied} onOpen={setOpen} />
              )
            }
          </Loaded>
          <CertifiedPeople />
          <details className="hf-item">
            <summary>{t("secrets.rotation")}</summary>
            <ol className="hf-steps">
              <li>{t("secrets.rotation.1")}</li>
              <li>{t("secrets.rotation.2")}</li>
              <li>{t("secrets.rotation.3")}</li>
              <li>{t("secrets.rotation.4")}</li>
            </ol>
          </details>
        </div>
      </PageBody>
      {open?.kind === "new" ? <SecretDialog secret={null} onClose={close} /> : null}
      {open?.kind === "put" ? <SecretDialog secret={open.secret} onClose={close} /> : null}
      {open?.kind === "rotate" ? <RotateDialog secret={open.secret} onClose={close} /> : null}
      {open?.kind === "delete" ? (
        <ActDialog
          title={t("secrets.delete")}
          text={t("secrets.delete.ask", { name: open.secret.name, count: open.secret.versions.length })}
          confirmText={t("secrets.delete")}
          typed={open.secret.name}
          danger
          isPending={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate(open.secret)}
          onClose={close}
        />
      ) : null}
    </>
  );
}

interface TableProps {
  readonly items: readonly Secret[];
  readonly denied: string | null;
  readonly onOpen: (open: Open) => void;
}

function SecretTable({ items, denied, onOpen }: TableProps): ReactNode {
  const t = useT();
  return (
    <table className="hf-table">
      <caption className="hf-sr">{t("nav.secrets")}</caption>
      <TableHead columns={["secrets.name", "secrets.versions", "secrets.usedBy", "tokens.acts"]} />
      <tbody>
        {items.map((secret) => {
          const documents = [...new Set(secret.usedBy.map((use) => use.document))];
          const isGenerated = secret.kind === "generated";
          return (
            <tr key={secret.name}>
              <td data-label={t("secrets.name")}>
                <span className="hf-badges">
                  <strong>{secret.name}</strong>
                  <Label isCompact color={isGenerated ? "purple" : "grey"}>
                    {t(isGenerated ? "secrets.generated" : "secrets.written")}
                  </Label>
                </span>
              </td>
              <td data-label={t("secrets.versions")}>
                <Versions secret={secret} />
              </td>
              <td data-label={t("secrets.usedBy")}>
                <Uses secret={secret} />
              </td>
              <td data-label={t("tokens.acts")}>
                <div className="hf-actions">
                  <ReasonButton
                    size="sm"
                    variant="link"
                    isInline
                    reason={denied ?? (documents.length === 0 ? t("secrets.rotate.unused") : null)}
                    onClick={() => onOpen({ kind: "rotate", secret })}
                  >
                    {t("secrets.rotate")}
                  </ReasonButton>
                  <ReasonButton
                    size="sm"
                    variant="link"
                    isInline
                    reason={denied ?? (isGenerated ? t("secrets.put.generated") : null)}
                    onClick={() => onOpen({ kind: "put", secret })}
                  >
                    {t("secrets.put")}
                  </ReasonButton>
                  <ReasonButton
                    size="sm"
                    variant="link"
                    isInline
                    isDanger
                    reason={
                      denied ??
                      (secret.name === TUNNEL_AUTHORITY_SECRET ? t("secrets.put.generated") : null) ??
                      (documents.length === 0 ? null : t("secrets.inUse", { documents: documents.join(", ") }))
                    }
                    onClick={() => onOpen({ kind: "delete", secret })}
                  >
                    {t("secrets.delete")}
                  </ReasonButton>
                </div>
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** Whose it is, until when, and whether its authority has signed it; the rest behind a fold. */
function CertificateLine({ certificate }: { readonly certificate: SecretCertificateView }): ReactNode {
  const t = useT();
  const { subject, issuer, serial, fingerprint, notAfter, isChained, pem } = certificate;
  return (
    <details>
      <summary className="hf-quiet">
        {t("secrets.certificate", { subject })} · {t("secrets.certificate.ends")} <TimeText at={notAfter} isEnd />{" "}
        {isChained ? null : (
          <Label isCompact color="red">
            {t("secrets.certificate.broken")}
          </Label>
        )}
      </summary>
      <p className="hf-quiet">{t("secrets.certificate.issuer", { issuer })}</p>
      <p className="hf-quiet">
        {t("secrets.certificate.serial")} <code className="hf-break">{serial}</code>
      </p>
      <p className="hf-quiet">
        SHA-256 <code className="hf-break">{fingerprint}</code>
      </p>
      <CopyText text={pem} shown={t("secrets.certificate.copy")} />
    </details>
  );
}

/** The newest in full; older ones behind a fold. */
function Versions({ secret }: { readonly secret: Secret }): ReactNode {
  const t = useT();
  const [newest, ...older] = secret.versions.toReversed();
  if (newest === undefined) return null;
  const line = (one: Secret["versions"][number]): ReactNode => (
    <>
      <span className="hf-nowrap">{t("secrets.version", { version: one.version })}</span>{" "}
      <code title={t("secrets.fingerprint")}>{one.fingerprint}</code>{" "}
      <span className="hf-quiet">
        {one.madeBy} · <TimeText at={one.madeAt} />
        {one.dueAt === null ? null : (
          <>
            {" · "}
            {t("secrets.due")} <TimeText at={one.dueAt} isEnd />
          </>
        )}
      </span>
      {one.certificate === null ? null : <CertificateLine certificate={one.certificate} />}
    </>
  );
  return (
    <>
      <div>{line(newest)}</div>
      {older.length === 0 ? null : (
        <details>
          <summary className="hf-quiet">{t("secrets.older", { count: older.length })}</summary>
          <ul className="hf-rows">
            {older.map((one) => (
              <li key={one.version}>{line(one)}</li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}

/** Which document names which version, and why it may not go. */
function Uses({ secret }: { readonly secret: Secret }): ReactNode {
  const t = useT();
  if (secret.usedBy.length === 0) return <span className="hf-quiet">{t("secrets.unused")}</span>;
  return (
    <ul className="hf-rows">
      {secret.usedBy.map((use) => {
        const [kind = "", name = ""] = use.document.split("/", 2);
        return (
          <li key={`${use.document} ${use.version} ${use.as}`}>
            <AppLink to={paths.document(kind, name)}>{use.document}</AppLink>{" "}
            <span className="hf-quiet">
              {t("secrets.version", { version: use.version })}, {t(`secrets.as.${use.as}`)}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
