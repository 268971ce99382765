import {
  Masthead,
  MastheadBrand,
  MastheadContent,
  MastheadLogo,
  MastheadMain,
  MastheadToggle,
  Page,
  PageSidebar,
  PageSidebarBody,
  PageToggleButton,
  SkipToContent,
} from "@patternfly/react-core";
import BarsIcon from "@patternfly/react-icons/dist/esm/icons/bars-icon";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Outlet } from "@tanstack/react-router";
import { type ReactNode, Suspense, useEffect } from "react";
import { onSignedOut, Refused } from "../api/client.ts";
import { followEvents } from "../api/events.ts";
import { queries } from "../api/queries.ts";
import { openPendingOf } from "../editor/pending.ts";
import { HelpAside, HelpButton, useHelp } from "../help/help.tsx";
import { useT } from "../i18n/language.ts";
import { PendingBar } from "../parts/pending-bar.tsx";
import { LostBanner, StaleMark } from "../parts/stale-mark.tsx";
import { paths } from "../paths.ts";
import { Loaded, Waiting } from "../ui/loaded.tsx";
import icon from "./icon.svg";
import { MainNav } from "./main-nav.tsx";
import { usePlace } from "./place.ts";
import { PreferencesMenu } from "./preferences-menu.tsx";
import { useSidebar } from "./sidebar.ts";
import { UserMenu } from "./user-menu.tsx";

const MAIN_ID = "main";

/** Everything behind the login: who is here is known before anything is shown. */
export function Shell(): ReactNode {
  const t = useT();
  const place = usePlace();
  const client = useQueryClient();
  const me = useQuery(queries.me());
  const nav = useSidebar(MAIN_ID);
  const help = useHelp();

  useEffect(() => {
    const toLogin = (): void => {
      client.clear();
      place.go(paths.login({ next: place.here(), again: "yes" }));
    };
    onSignedOut(toLogin);
    return () => onSignedOut(() => undefined);
  }, [client, place]);

  const user = me.data?.mustChangePassword === false ? me.data.user : null;
  useEffect(() => (user === null ? undefined : followEvents(client)), [client, user]);
  useEffect(() => {
    if (me.data?.mustChangePassword === true) place.replace(paths.password());
    // The session had ended before this page was opened.
    if (isSignedOut(me.error))
      place.replace(paths.login(place.here() === paths.overview() ? {} : { next: place.here() }));
  }, [me.data, me.error, place]);

  if (user === null) {
    // Signed out: on the way to the login.
    if (isSignedOut(me.error)) return <Waiting text={t("login.going")} />;
    return (
      <Loaded query={me} what={t("what.me")}>
        {() => <Waiting text={t("login.going")} />}
      </Loaded>
    );
  }
  openPendingOf(user);

  return (
    <>
      <Page
        className={help.isOpen ? "hf-page hf-page-helped" : "hf-page"}
        onPageResize={nav.resized}
        skipToContent={<SkipToContent href={`#${MAIN_ID}`}>{t("shell.skip")}</SkipToContent>}
        masthead={
          <Masthead display={{ default: "inline" }}>
            <MastheadMain>
              <MastheadToggle>
                <PageToggleButton
                  variant="plain"
                  aria-label={t("shell.toggleNav")}
                  isSidebarOpen={nav.isOpen}
                  onSidebarToggle={nav.toggle}
                >
                  <BarsIcon />
                </PageToggleButton>
              </MastheadToggle>
              <MastheadBrand>
                <MastheadLogo component="span" className="hf-logo">
                  <img src={icon} alt="" width={28} height={28} />
                  <span>Holdfast</span>
                </MastheadLogo>
              </MastheadBrand>
            </MastheadMain>
            <MastheadContent className="hf-masthead-tools">
              <StaleMark />
              <HelpButton help={help} />
              <PreferencesMenu />
              <UserMenu user={user} />
            </MastheadContent>
          </Masthead>
        }
        sidebar={
          <PageSidebar isSidebarOpen={nav.isOpen}>
            <PageSidebarBody>
              <MainNav onChosen={nav.chosen} />
            </PageSidebarBody>
          </PageSidebar>
        }
      >
        {/* The bar is no part of what scrolls: it lies over nothing, least of all over what has the focus. */}
        <div id={MAIN_ID} className="hf-scroll" tabIndex={-1}>
          <LostBanner />
          <Suspense fallback={<Waiting text={t("load.page")} />}>
            <Outlet />
          </Suspense>
        </div>
        <PendingBar />
      </Page>
      <HelpAside help={help} />
    </>
  );
}

function isSignedOut(error: Error | null): boolean {
  return error instanceof Refused && error.problem.status === 401;
}
