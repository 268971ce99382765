import { Button, Title } from "@patternfly/react-core";
import TimesIcon from "@patternfly/react-icons/dist/esm/icons/times-icon";
import { Fragment, type ReactNode, useEffect, useRef } from "react";
import { type Language, type MessageKey, useLanguage, useT } from "../i18n/language.ts";
import { SERVER_STATUS_LOOK, ServerStatusLabel } from "../parts/server-status-label.tsx";
import { SERVER_IS, ServerIsBadge, STATE_LOOK, StateBadge } from "../parts/state-badge.tsx";
import { helpEn } from "./help-en.ts";
import { helpKo } from "./help-ko.ts";
import { type HelpPage, type HelpTexts, KEYS_OF, type KeySet, STATES_SHOWN } from "./help-page.ts";

const TEXTS = { en: helpEn, ko: helpKo } as const satisfies Record<Language, HelpTexts>;

interface Key {
  readonly keys: readonly string[];
  readonly does: MessageKey;
}

const KEYS = {
  everywhere: [
    { keys: ["F1"], does: "help.key.help" },
    { keys: ["Tab"], does: "help.key.next" },
    { keys: ["Esc"], does: "help.key.escape" },
    { keys: ["Alt", "←"], does: "help.key.back" },
  ],
  rules: [
    { keys: ["Alt", "↑"], does: "help.key.ruleUp" },
    { keys: ["Alt", "↓"], does: "help.key.ruleDown" },
    { keys: ["Enter"], does: "help.key.keep" },
  ],
  text: [
    { keys: ["Ctrl", "Space"], does: "help.key.complete" },
    { keys: ["Ctrl", "Z"], does: "help.key.undo" },
    { keys: ["F8"], does: "help.key.finding" },
  ],
} as const satisfies Record<KeySet, readonly Key[]>;

const SET_TITLE = {
  everywhere: "help.keys.everywhere",
  rules: "help.keys.rules",
  text: "help.keys.text",
} as const satisfies Record<KeySet, MessageKey>;

/** What this page is for, what its states mean, and which keys work. The heading has the focus, so that it is read from there. */
export function HelpPanel({ page, onClose }: { readonly page: HelpPage; readonly onClose: () => void }): ReactNode {
  const t = useT();
  const { what, how } = TEXTS[useLanguage()][page];
  const { servers, applies, serverIs } = STATES_SHOWN[page];
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const hasStates = servers.length > 0 || applies.length > 0;
  return (
    <>
      <div className="hf-help-head">
        <Title ref={heading} headingLevel="h2" size="lg" tabIndex={-1}>
          {t("help.title")}
        </Title>
        <Button variant="plain" icon={<TimesIcon />} aria-label={t("help.close")} onClick={onClose} />
      </div>
      <p className="hf-help-what">{what}</p>
      <ul className="hf-help-how">
        {how.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      {hasStates ? (
        <>
          <h3>{t("help.states")}</h3>
          <dl className="hf-help-states">
            {servers.map((status) => (
              <Fragment key={status}>
                <dt>
                  <ServerStatusLabel status={status} />
                </dt>
                <dd>{t(SERVER_STATUS_LOOK[status].why)}</dd>
              </Fragment>
            ))}
            {applies.map((state) => (
              <Fragment key={state}>
                <dt>
                  <StateBadge state={state} />
                </dt>
                <dd>{t(STATE_LOOK[state].text)}</dd>
              </Fragment>
            ))}
            {(serverIs ? SERVER_IS : []).map((one) => (
              <Fragment key={one}>
                <dt>
                  <ServerIsBadge serverIs={one} />
                </dt>
                <dd>{t(`help.serverIs.${one}`)}</dd>
              </Fragment>
            ))}
          </dl>
        </>
      ) : null}
      <h3>{t("help.keys")}</h3>
      {(["everywhere", ...(KEYS_OF[page] ?? [])] as const).map((set) => (
        <Fragment key={set}>
          <h4 className="hf-quiet">{t(SET_TITLE[set])}</h4>
          <dl className="hf-help-keys">
            {KEYS[set].map(({ keys, does }) => (
              <Fragment key={does}>
                <dt>
                  {keys.map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </dt>
                <dd>{t(does)}</dd>
              </Fragment>
            ))}
          </dl>
        </Fragment>
      ))}
    </>
  );
}
