import { Button, Tooltip } from "@patternfly/react-core";
import HelpIcon from "@patternfly/react-icons/dist/esm/icons/help-icon";
import { lazyRouteComponent, useLocation } from "@tanstack/react-router";
import { type ReactNode, type RefObject, Suspense, useEffect, useRef, useState } from "react";
import { useT } from "../i18n/language.ts";
import { pageAt } from "../paths.ts";
import { Waiting } from "../ui/loaded.tsx";
import type { HelpPage } from "./help-page.ts";

/** No letter: those are typed, and said, by people who mean something else. */
const KEY = "F1";

/** The words come when somebody asks for them. */
const HelpPanel = lazyRouteComponent(() => import("./help-panel.tsx"), "HelpPanel");

export interface Help {
  readonly isOpen: boolean;
  readonly page: HelpPage | null;
  readonly opener: RefObject<HTMLButtonElement | null>;
  readonly toggle: () => void;
  readonly close: () => void;
}

/** Help for the page that is shown, wherever the focus is. It stays open while a person goes from page to page. */
export function useHelp(): Help {
  const pathname = useLocation({ select: (location) => location.pathname });
  const [isOpen, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const at = pageAt(pathname);
  const page = at === null || at === "login" || at === "providerReturn" || at === "password" ? null : at;

  useEffect(() => {
    const keys = (event: KeyboardEvent): void => {
      if (event.key !== KEY || event.ctrlKey || event.altKey || event.shiftKey || event.metaKey) return;
      // A dialog is about one thing and says it itself; what is behind it cannot be reached.
      if (document.querySelector("[role=dialog]") !== null) return;
      event.preventDefault();
      setOpen((was) => !was);
    };
    window.addEventListener("keydown", keys);
    return () => window.removeEventListener("keydown", keys);
  }, []);

  return {
    isOpen: isOpen && page !== null,
    page,
    opener,
    toggle: () => setOpen(!isOpen),
    close: () => {
      setOpen(false);
      opener.current?.focus();
    },
  };
}

export function HelpButton({ help }: { readonly help: Help }): ReactNode {
  const t = useT();
  return (
    <Tooltip content={t("help.open")} aria="none">
      <Button
        ref={help.opener}
        variant="plain"
        icon={<HelpIcon />}
        aria-label={t("help.open")}
        aria-expanded={help.isOpen}
        aria-keyshortcuts={KEY}
        onClick={help.toggle}
      />
    </Tooltip>
  );
}

export function HelpAside({ help }: { readonly help: Help }): ReactNode {
  const t = useT();
  if (!help.isOpen || help.page === null) return null;
  return (
    <aside
      className="hf-help"
      aria-label={t("help.title")}
      onKeyDown={(event) => {
        if (event.key === "Escape") help.close();
      }}
    >
      <Suspense fallback={<Waiting text={t("load.page")} />}>
        <HelpPanel page={help.page} onClose={help.close} />
      </Suspense>
    </aside>
  );
}
