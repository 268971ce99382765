import type { ServerDetail } from "@holdfast/core/api/server.ts";
import { Tab, Tabs, TabTitleText } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../../api/queries.ts";
import { useAddressPart } from "../../app/place.ts";
import { useSearchChoice } from "../../app/search-state.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { LabelList } from "../../parts/label-list.tsx";
import { ServerStatusLabel } from "../../parts/server-status-label.tsx";
import { serverStatus } from "../../parts/server-status.ts";
import { paths, SERVER_TABS, type ServerTab } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { AgentTab } from "./agent-tab.tsx";
import { ConfigTab } from "./config-tab.tsx";
import { HistoryTab } from "./history-tab.tsx";
import { LiveTab } from "./live-tab.tsx";
import { ObserveTab } from "./observe-tab.tsx";
import { PacketsTab } from "./packets-tab.tsx";
import { ServerActs } from "./server-acts.tsx";
import { StateTab } from "./state-tab.tsx";
import { ToolsTab } from "./tools-tab.tsx";

const TAB_TEXT = {
  state: "server.tab.state",
  config: "server.tab.config",
  live: "server.tab.live",
  observe: "server.tab.observe",
  packets: "server.tab.packets",
  tools: "server.tab.tools",
  history: "server.tab.history",
  agent: "server.tab.agent",
} as const satisfies Record<ServerTab, MessageKey>;

export function ServerPage(): ReactNode {
  const t = useT();
  const name = useAddressPart("name");
  const server = useQuery(queries.server(name));
  return (
    <>
      <PageHead
        above={<AppLink to={paths.servers()}>{t("nav.servers")}</AppLink>}
        title={name}
        badges={
          server.data === undefined ? null : (
            <span className="hf-badges">
              <ServerStatusLabel status={serverStatus(server.data)} />
              <LabelList labels={server.data.labels} />
            </span>
          )
        }
        actions={server.data === undefined ? undefined : <ServerActs server={server.data} />}
      />
      <PageBody>
        <Loaded query={server} what={name}>
          {(detail) => <ServerTabs server={detail} />}
        </Loaded>
      </PageBody>
    </>
  );
}

function ServerTabs({ server }: { readonly server: ServerDetail }): ReactNode {
  const t = useT();
  const [tab, setTab] = useSearchChoice("tab", SERVER_TABS);
  return (
    <>
      <Tabs
        activeKey={tab}
        onSelect={(_event, key) => setTab(String(key) as ServerTab)}
        aria-label={server.name}
        mountOnEnter
        unmountOnExit
      >
        {SERVER_TABS.map((key) => (
          <Tab key={key} eventKey={key} title={<TabTitleText>{t(TAB_TEXT[key])}</TabTitleText>}>
            <div className="hf-tab">{tab === key ? tabBody(key, server) : null}</div>
          </Tab>
        ))}
      </Tabs>
    </>
  );
}

function tabBody(tab: ServerTab, server: ServerDetail): ReactNode {
  switch (tab) {
    case "state":
      return <StateTab server={server} />;
    case "config":
      return <ConfigTab name={server.name} />;
    case "live":
      return <LiveTab name={server.name} />;
    case "observe":
      return <ObserveTab name={server.name} />;
    case "packets":
      return <PacketsTab name={server.name} />;
    case "tools":
      return <ToolsTab server={server} />;
    case "history":
      return <HistoryTab name={server.name} />;
    case "agent":
      return <AgentTab server={server} />;
  }
}
