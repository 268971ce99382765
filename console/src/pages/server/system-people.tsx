import type { SystemConfig } from "@holdfast/domains/system/model.ts";
import { Label } from "@patternfly/react-core";
import { type ReactNode, useEffect, useState } from "react";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { differencesAt, originOf } from "../../live/at-item.ts";
import type { AccountSeen, SystemSeen } from "../../live/observed.ts";
import { keyFingerprint, keyWords } from "../../live/ssh-key.ts";
import { type PersonRow, personRows } from "../../live/system-settings.ts";
import { TableHead } from "../../ui/table-head.tsx";
import { Differences, type LiveProps, NotOurs, Origins } from "./live-parts.tsx";

type Props = LiveProps<SystemConfig, SystemSeen>;

/** Who can enter, and with what. */
export function People(props: Props): ReactNode {
  const t = useT();
  const { desired, seen, differences } = props;
  const rows = personRows(desired, seen);
  return (
    <section>
      <h2 className="hf-small-title">{t("people.title")}</h2>
      <Differences differences={differencesAt(differences, "sudo")} />
      <table className="hf-table">
        <caption className="hf-sr">{t("people.title")}</caption>
        <TableHead
          columns={["people.name", "people.password", "people.keys", "people.groups", "people.should", "config.from"]}
        />
        <tbody>
          {rows.map((row) => (
            <Person key={row.name} row={row} {...props} />
          ))}
        </tbody>
      </table>
      <p className="hf-quiet">
        {t("people.daemons", { count: seen.accounts.length - rows.filter(({ account }) => account !== null).length })}
        {seen.foreignAccounts ? ` ${t("people.foreign")}` : ""}
      </p>
    </section>
  );
}

const PASSWORD_TEXT = {
  set: "people.password.set",
  locked: "people.password.locked",
  unknown: "live.unknown",
} as const satisfies Record<AccountSeen["password"], MessageKey>;

const PARTS = ["user", "comment", "shell", "members", "keys", "group"] as const;

function Person({ row, differences, provenance }: Props & { readonly row: PersonRow }): ReactNode {
  const t = useT();
  const { name, account, keys, desired } = row;
  const own = PARTS.flatMap((part) => differencesAt(differences, `${part}:${name}`));
  return (
    <tr data-drift={own.length > 0}>
      <td data-label={t("people.name")}>
        <strong>{name}</strong>
        <div className="hf-quiet hf-small">{account?.comment ?? ""}</div>
        {account === null ? (
          <Label isCompact color="red">
            {t("net.absent")}
          </Label>
        ) : (
          <code className="hf-quiet hf-small">{account.shell}</code>
        )}
        {desired === null ? <NotOurs /> : null}
      </td>
      <td data-label={t("people.password")}>
        {account === null ? "—" : t(PASSWORD_TEXT[account.password])}
        {account === null || account.expires === null || account.expires === "" ? null : (
          <div className="hf-quiet hf-small">{t("people.until", { day: dayText(Number(account.expires) - 1) })}</div>
        )}
      </td>
      <td data-label={t("people.keys")}>
        {keys.map((line) => (
          <Key key={line} line={line} />
        ))}
        {(account?.keys ?? 0) === 0 ? null : (
          <div className="hf-small">{t("people.ownKeys", { count: account?.keys ?? 0 })}</div>
        )}
        {keys.length === 0 && (account?.keys ?? 0) === 0 ? (
          <span className="hf-quiet">{t("people.keys.none")}</span>
        ) : null}
      </td>
      <td data-label={t("people.groups")}>{account?.groups.join(", ") ?? "—"}</td>
      <td data-label={t("people.should")}>
        <Wanted desired={desired} />
        <Differences differences={own} />
      </td>
      <td data-label={t("config.from")}>
        <Origins origins={desired === null ? [] : [originOf(provenance, `system.users.${name}`)]} />
      </td>
    </tr>
  );
}

function Wanted({ desired }: { readonly desired: PersonRow["desired"] }): ReactNode {
  const t = useT();
  if (desired === null) return <span className="hf-quiet">{t("live.notOurs")}</span>;
  if (desired.state === "absent") return t("people.absent");
  const parts = [
    desired.groups === undefined ? null : t("people.inGroups", { groups: desired.groups.join(", ") || "—" }),
    desired.keys === undefined ? null : t("people.withKeys", { count: desired.keys.length }),
    desired.sudo === undefined ? null : `sudo: ${desired.sudo}`,
    desired.until === undefined ? null : t("people.until", { day: dayText(desired.until) }),
  ].filter((part) => part !== null);
  return parts.length === 0 ? t("people.present") : parts.join(" · ");
}

const MS_OF_DAY = 86_400_000;

function dayText(day: number): string {
  return Number.isFinite(day) ? new Date(day * MS_OF_DAY).toISOString().slice(0, 10) : "?";
}

function Key({ line }: { readonly line: string }): ReactNode {
  const [fingerprint, setFingerprint] = useState<string | null>(null);
  useEffect(() => {
    let wanted = true;
    void keyFingerprint(line).then((text) => (wanted ? setFingerprint(text) : undefined));
    return () => {
      wanted = false;
    };
  }, [line]);
  const { kind, comment } = keyWords(line);
  return (
    <div>
      <code className="hf-small">{fingerprint ?? `…${(line.split(" ")[1] ?? "").slice(-12)}`}</code>{" "}
      <span className="hf-quiet hf-small">
        {kind} {comment}
      </span>
    </div>
  );
}
