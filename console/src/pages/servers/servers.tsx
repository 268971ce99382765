import type { ServerSummary } from "@holdfast/core/api/server.ts";
import {
  FormSelect,
  FormSelectOption,
  SearchInput,
  Toolbar,
  ToolbarContent,
  ToolbarItem,
} from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo, useState } from "react";
import { queries } from "../../api/queries.ts";
import { useDenied } from "../../api/session.ts";
import { useSearchState } from "../../app/search-state.ts";
import { useT } from "../../i18n/language.ts";
import { SERVER_STATUS_LOOK } from "../../parts/server-status-label.tsx";
import { matchesServer, SERVER_STATUSES, serverStatus } from "../../parts/server-status.ts";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { EnrolDialog } from "./enrol-dialog.tsx";
import { ServerTable } from "./server-table.tsx";
import { ViewsMenu } from "./views-menu.tsx";

export function ServersPage(): ReactNode {
  const t = useT();
  const denied = useDenied();
  const servers = useQuery(queries.servers());
  const [enrolling, setEnrolling] = useState(false);
  return (
    <>
      <PageHead
        title={t("nav.servers")}
        actions={
          <ReasonButton reason={denied("admin")} onClick={() => setEnrolling(true)}>
            {t("enrol.open")}
          </ReasonButton>
        }
      />
      <PageBody>
        <Loaded query={servers} what={t("what.servers")}>
          {(list) => <FilteredServers servers={list} />}
        </Loaded>
      </PageBody>
      {enrolling ? <EnrolDialog onClose={() => setEnrolling(false)} /> : null}
    </>
  );
}

function FilteredServers({ servers }: { readonly servers: readonly ServerSummary[] }): ReactNode {
  const t = useT();
  const [filter, setFilter] = useSearchState("q");
  const [show, setShow] = useSearchState("show");
  const found = useMemo(
    () => servers.filter((server) => (show === "" || serverStatus(server) === show) && matchesServer(server, filter)),
    [servers, filter, show],
  );
  return (
    <>
      <Toolbar inset={{ default: "insetNone" }} className="hf-toolbar">
        <ToolbarContent>
          <ToolbarItem className="hf-grow">
            <SearchInput
              aria-label={t("servers.filter")}
              placeholder={t("servers.filter.example")}
              value={filter}
              onChange={(_event, value) => setFilter(value)}
              onClear={() => setFilter("")}
            />
          </ToolbarItem>
          <ToolbarItem>
            <FormSelect aria-label={t("servers.show")} value={show} onChange={(_event, value) => setShow(value)}>
              <FormSelectOption value="" label={t("servers.show.all")} />
              {SERVER_STATUSES.map((status) => (
                <FormSelectOption key={status} value={status} label={t(SERVER_STATUS_LOOK[status].text)} />
              ))}
            </FormSelect>
          </ToolbarItem>
          <ToolbarItem>
            <ViewsMenu />
          </ToolbarItem>
          <ToolbarItem alignSelf="center">
            <span role="status">{t("servers.count", { found: found.length, all: servers.length })}</span>
          </ToolbarItem>
        </ToolbarContent>
      </Toolbar>
      <ServerTable servers={found} onLabel={(label) => setFilter(label)} />
    </>
  );
}
