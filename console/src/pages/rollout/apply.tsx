import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { queries } from "../../api/queries.ts";
import { useAddressPart } from "../../app/place.ts";
import { useT } from "../../i18n/language.ts";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { ApplyStory } from "./apply-story.tsx";

/** One apply by itself: the address to send to a colleague. */
export function ApplyPage(): ReactNode {
  const t = useT();
  const id = useAddressPart("id");
  const { data } = useQuery(queries.apply(id));
  return (
    <>
      <PageHead
        above={
          data === undefined ? (
            <AppLink to={paths.changes()}>{t("nav.changes")}</AppLink>
          ) : (
            <AppLink to={paths.rollout(data.rolloutId)}>{t("apply.rollout")}</AppLink>
          )
        }
        title={
          data === undefined ? t("apply.title") : t("apply.titleOf", { change: data.changeTitle, server: data.server })
        }
      />
      <PageBody>
        <ApplyStory id={id} />
      </PageBody>
    </>
  );
}
