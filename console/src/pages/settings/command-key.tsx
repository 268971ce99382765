import { type CommandKeyState, KEY_STANDINGS, type KeyStanding } from "@holdfast/core/api/command-key.ts";
import { Alert, Label, type LabelProps } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../../api/queries.ts";
import { useDenied } from "../../api/session.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { TableHead } from "../../ui/table-head.tsx";

const LOOK = {
  current: { color: "green", text: "commandKey.current" },
  behind: { color: "blue", text: "commandKey.behind" },
  too_old: { color: "orange", text: "commandKey.tooOld" },
  not_seen: { color: "grey", text: "commandKey.notSeen" },
  other: { color: "red", text: "commandKey.other" },
} as const satisfies Record<KeyStanding, { color: NonNullable<LabelProps["color"]>; text: MessageKey }>;

/** How far a change of the command key has come (it is made where the signer keeps the key). */
export function CommandKey(): ReactNode {
  const t = useT();
  const denied = useDenied()("admin");
  return (
    <section>
      <h2 className="hf-small-title">{t("commandKey.title")}</h2>
      {denied === null ? <Standing /> : <Alert component="p" isInline variant="info" title={denied} />}
    </section>
  );
}

function Standing(): ReactNode {
  const t = useT();
  const key = useQuery(queries.commandKey());
  return (
    <Loaded query={key} what={t("what.commandKey")}>
      {(state) => <KeyStandingText state={state} />}
    </Loaded>
  );
}

function KeyStandingText({ state: { keyId, keys, servers } }: { readonly state: CommandKeyState }): ReactNode {
  const t = useT();
  const others = servers.filter(({ standing }) => standing !== "current");
  return (
    <div className="hf-stack">
      <p>
        {t("commandKey.is")} <code>{keyId}</code>.{" "}
        <span className="hf-quiet">
          {keys.length === 1 ? t("commandKey.neverChanged") : t("commandKey.changed", { count: keys.length - 1 })}
        </span>
      </p>
      <p className="hf-badges">
        {KEY_STANDINGS.map((standing) => {
          const count = servers.filter((one) => one.standing === standing).length;
          return count === 0 ? null : (
            <Label key={standing} isCompact color={LOOK[standing].color}>
              {t(LOOK[standing].text)}: {count}
            </Label>
          );
        })}
      </p>
      {others.length === 0 ? (
        <p className="hf-quiet">{servers.length === 0 ? t("commandKey.nobody") : t("commandKey.all")}</p>
      ) : (
        <table className="hf-table">
          <caption className="hf-sr">{t("commandKey.title")}</caption>
          <TableHead columns={["certificate.server", "commandKey.standing", "commandKey.obeys"]} />
          <tbody>
            {others.map(({ server, standing, keyId: own }) => (
              <tr key={server}>
                <td data-label={t("certificate.server")}>
                  <AppLink to={paths.server(server)}>{server}</AppLink>
                </td>
                <td data-label={t("commandKey.standing")}>
                  <Label isCompact color={LOOK[standing].color}>
                    {t(LOOK[standing].text)}
                  </Label>{" "}
                  {t(TODO[standing])}
                </td>
                <td data-label={t("commandKey.obeys")}>{own === null ? "—" : <code>{own}</code>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

const TODO = {
  current: "commandKey.current",
  behind: "commandKey.behind.todo",
  too_old: "commandKey.tooOld.todo",
  not_seen: "commandKey.notSeen.todo",
  other: "commandKey.other.todo",
} as const satisfies Record<KeyStanding, MessageKey>;
