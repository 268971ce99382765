import type { Delivery } from "@holdfast/core/api/alert.ts";
import { Label } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../../api/queries.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { TimeText } from "../../ui/time-text.tsx";

const LOOK = {
  delivered: { color: "green", text: "delivery.delivered" },
  waiting: { color: "orange", text: "delivery.waiting" },
  given_up: { color: "red", text: "delivery.givenUp" },
} as const satisfies Record<Delivery["state"], { color: "green" | "orange" | "red"; text: MessageKey }>;

/** Whether anybody hears of alerts: each channel's newest message first, then all of them. Channels are written in a file, not here. */
export function NotificationsPage(): ReactNode {
  const t = useT();
  const deliveries = useQuery(queries.deliveries());
  return (
    <>
      <PageHead
        above={<AppLink to={paths.overview()}>{t("delivery.toAlerts")}</AppLink>}
        title={t("nav.notifications")}
        sub={t("delivery.sub")}
      />
      <PageBody>
        <Loaded query={deliveries} what={t("what.deliveries")}>
          {({ items }) =>
            items.length === 0 ? (
              <p className="hf-quiet">{t("delivery.none")}</p>
            ) : (
              <div className="hf-stack">
                <section>
                  <h2 className="hf-small-title">{t("delivery.channels")}</h2>
                  <DeliveryTable caption={t("delivery.channels")} items={newestOfEach(items)} />
                </section>
                <section>
                  <h2 className="hf-small-title">{t("delivery.all")}</h2>
                  <DeliveryTable caption={t("delivery.all")} items={items} />
                </section>
              </div>
            )
          }
        </Loaded>
      </PageBody>
    </>
  );
}

/** They come newest first. */
function newestOfEach(items: readonly Delivery[]): readonly Delivery[] {
  const newest = new Map<string, Delivery>();
  for (const one of items) if (!newest.has(one.channel)) newest.set(one.channel, one);
  return [...newest.values()].toSorted((a, b) => (a.channel < b.channel ? -1 : 1));
}

function DeliveryTable({
  caption,
  items,
}: {
  readonly caption: string;
  readonly items: readonly Delivery[];
}): ReactNode {
  const t = useT();
  return (
    <table className="hf-table">
      <caption className="hf-sr">{caption}</caption>
      <TableHead columns={["delivery.channel", "delivery.event", "delivery.state", "delivery.at", "delivery.said"]} />
      <tbody>
        {items.map((one) => (
          <tr key={one.id}>
            <td data-label={t("delivery.channel")}>{one.channel}</td>
            <td data-label={t("delivery.event")}>{t(`delivery.event.${one.event}`)}</td>
            <td data-label={t("delivery.state")}>
              <Label isCompact color={LOOK[one.state].color}>
                {t(LOOK[one.state].text)}
              </Label>{" "}
              <span className="hf-quiet">{t("delivery.tries", { count: one.tries })}</span>
            </td>
            <td data-label={t("delivery.at")}>
              <TimeText at={one.finishedAt ?? one.createdAt} />
            </td>
            <td data-label={t("delivery.said")}>
              {one.lastStatus === null ? null : <code>HTTP {one.lastStatus}</code>} {one.lastError ?? ""}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
