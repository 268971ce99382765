import { Nav, NavGroup, NavItem } from "@patternfly/react-core";
import { useLocation } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { type MessageKey, useT } from "../i18n/language.ts";
import { PATTERNS, paths } from "../paths.ts";
import { AppLink } from "../ui/link.tsx";

interface Entry {
  readonly text: MessageKey;
  readonly to: string;
  /** Pages whose address begins so belong to it. */
  readonly owns: readonly string[];
}

const GROUPS: readonly { readonly title: MessageKey; readonly entries: readonly Entry[] }[] = [
  {
    title: "nav.work",
    entries: [
      { text: "nav.overview", to: paths.overview(), owns: [] },
      { text: "nav.servers", to: paths.servers(), owns: [PATTERNS.servers] },
      { text: "nav.documents", to: paths.documents(), owns: [PATTERNS.documents] },
      { text: "nav.changes", to: paths.changes(), owns: [PATTERNS.changes, "/rollouts", "/applies"] },
      { text: "nav.failures", to: paths.failures(), owns: [PATTERNS.failures] },
    ],
  },
  {
    title: "nav.evidence",
    entries: [
      { text: "nav.audit", to: paths.audit(), owns: [PATTERNS.audit] },
      { text: "nav.doctor", to: paths.doctor(), owns: [PATTERNS.doctor] },
    ],
  },
  {
    title: "nav.settings",
    entries: [
      { text: "nav.account", to: paths.account(), owns: [PATTERNS.account] },
      { text: "nav.tokens", to: paths.tokens(), owns: [PATTERNS.tokens] },
      { text: "nav.users", to: paths.users(), owns: [PATTERNS.users] },
      { text: "nav.roles", to: paths.roles(), owns: [PATTERNS.roles] },
      { text: "nav.secrets", to: paths.secrets(), owns: [PATTERNS.secrets] },
      { text: "nav.agents", to: paths.agents(), owns: [PATTERNS.agents] },
      { text: "nav.notifications", to: paths.notifications(), owns: [PATTERNS.notifications] },
      { text: "nav.retention", to: paths.retention(), owns: [PATTERNS.retention] },
    ],
  },
];

export function MainNav({ onChosen }: { readonly onChosen: () => void }): ReactNode {
  const t = useT();
  const pathname = useLocation({ select: (location) => location.pathname });
  const isHere = ({ to, owns }: Entry): boolean => pathname === to || owns.some((start) => pathname.startsWith(start));
  return (
    <Nav aria-label={t("nav.label")} onSelect={onChosen}>
      {GROUPS.map(({ title, entries }) => (
        <NavGroup key={title} title={t(title)}>
          {entries.map((entry) => (
            <NavItem key={entry.to} isActive={isHere(entry)}>
              <AppLink
                to={entry.to}
                className="pf-v6-c-nav__link"
                {...(isHere(entry) ? { "aria-current": "page" as const } : {})}
              >
                {t(entry.text)}
              </AppLink>
            </NavItem>
          ))}
        </NavGroup>
      ))}
    </Nav>
  );
}
