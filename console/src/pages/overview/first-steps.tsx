import { Button, Card, CardBody, CardTitle } from "@patternfly/react-core";
import type { ReactNode } from "react";
import { useT } from "../../i18n/language.ts";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";

/** An empty fleet: what to do first, second and third. */
export function FirstSteps({ onEnrol }: { readonly onEnrol: () => void }): ReactNode {
  const t = useT();
  return (
    <>
      <h2 className="hf-first-title">{t("first.title")}</h2>
      <ol className="hf-first">
        <li>
          <Card isFullHeight>
            <CardTitle component="h3">{t("first.enrol")}</CardTitle>
            <CardBody>
              <p>{t("first.enrol.why")}</p>
              <Button onClick={onEnrol}>{t("enrol.open")}</Button>
            </CardBody>
          </Card>
        </li>
        <li>
          <Card isFullHeight>
            <CardTitle component="h3">{t("first.policy")}</CardTitle>
            <CardBody>
              <p>{t("first.policy.why")}</p>
              <AppLink to={paths.documents()}>{t("nav.documents")}</AppLink>
            </CardBody>
          </Card>
        </li>
        <li>
          <Card isFullHeight>
            <CardTitle component="h3">{t("first.apply")}</CardTitle>
            <CardBody>
              <p>{t("first.apply.why")}</p>
              <AppLink to={paths.doctor()}>{t("nav.doctor")}</AppLink>
            </CardBody>
          </Card>
        </li>
      </ol>
    </>
  );
}
