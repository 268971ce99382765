import { holdsOn } from "@holdfast/core/access/grant.ts";
import { type Permission, PERMISSIONS } from "@holdfast/core/api/account.ts";
import { type DomainName, DOMAINS } from "@holdfast/core/domain.ts";
import {
  Alert,
  Button,
  Checkbox,
  Form,
  FormGroup,
  FormHelperText,
  FormSelect,
  FormSelectOption,
  FormSelectOptionGroup,
  HelperText,
  HelperTextItem,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  Radio,
  TextInput,
} from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import type { Answer } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { useGrantText } from "./grant-text.ts";
import { EVERYWHERE, type Given, type Held, isEverywhere, isGiven, type PlaceOf, readLabels } from "./grants.ts";

type Role = Answer<"listRoles">["items"][number];

/** How many servers are named before the rest is only counted. */
const NAMED = 5;

interface Props {
  readonly name: string;
  readonly held: Held;
  readonly roles: readonly Role[];
  readonly isPending: boolean;
  readonly error: Error | null;
  readonly onGive: (given: Given) => void;
  readonly onClose: () => void;
}

/** Gives one thing in one place, and says in a sentence what will then be allowed. */
export function GrantDialog({ name, held, roles, isPending, error, onGive, onClose }: Props): ReactNode {
  const t = useT();
  const text = useGrantText();
  const [choice, setChoice] = useState("");
  const [narrow, setNarrow] = useState(false);
  const [labels, setLabels] = useState("");
  const [domains, setDomains] = useState<readonly DomainName[]>(DOMAINS);

  const role = roles.find((one) => `role ${one.name}` === choice);
  const permission = PERMISSIONS.find((one) => one === choice);
  const scope = narrow ? readLabels(labels) : EVERYWHERE.scope;
  const place: PlaceOf | null =
    scope === null || domains.length === 0
      ? null
      : { scope, domains: domains.length === DOMAINS.length ? null : domains };
  const given: Given | null =
    place === null
      ? null
      : role !== undefined
        ? { role: role.name, ...place }
        : permission === undefined
          ? null
          : { permission, ...place };
  const allowed: readonly Permission[] = role?.permissions ?? (permission === undefined ? [] : [permission]);
  const missing =
    choice === ""
      ? t("grant.chooseFirst")
      : scope === null
        ? t("grant.labelsFirst")
        : place === null
          ? t("grant.domainsFirst")
          : given !== null && isGiven(held, given)
            ? t("grant.already", { name })
            : null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (given !== null && missing === null && !isPending) onGive(given);
  };
  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-labelledby="grant-title">
      <ModalHeader title={t("grant.title", { name })} labelId="grant-title" />
      <ModalBody>
        <Form id="grant-form" onSubmit={submit}>
          <FormGroup label={t("grant.what")} fieldId="grant-what" isRequired>
            <FormSelect id="grant-what" value={choice} onChange={(_event, value) => setChoice(value)} autoFocus>
              <FormSelectOption value="" label={t("grant.choose")} isPlaceholder />
              <FormSelectOptionGroup label={t("nav.roles")}>
                {roles.map((one) => (
                  <FormSelectOption
                    key={one.name}
                    value={`role ${one.name}`}
                    label={`${one.name} (${one.permissions.join(", ")})`}
                  />
                ))}
              </FormSelectOptionGroup>
              <FormSelectOptionGroup label={t("users.permissions")}>
                {PERMISSIONS.map((one) => (
                  <FormSelectOption key={one} value={one} label={one} />
                ))}
              </FormSelectOptionGroup>
            </FormSelect>
          </FormGroup>
          <FormGroup label={t("grant.where")} role="radiogroup" fieldId="grant-where">
            <div className="hf-boxes">
              <Radio
                id="grant-everywhere"
                name="grant-where"
                label={t("grant.everywhere")}
                isChecked={!narrow}
                onChange={() => setNarrow(false)}
              />
              <Radio
                id="grant-narrow"
                name="grant-where"
                label={t("grant.narrow")}
                isChecked={narrow}
                onChange={() => setNarrow(true)}
              />
            </div>
          </FormGroup>
          {narrow ? (
            <FormGroup label={t("grant.labels")} fieldId="grant-labels" isRequired>
              <TextInput
                id="grant-labels"
                value={labels}
                onChange={(_event, value) => setLabels(value)}
                placeholder="role=web site=seoul"
                autoComplete="off"
                spellCheck={false}
                aria-describedby="grant-labels-help"
              />
              <FormHelperText>
                <HelperText id="grant-labels-help" isLiveRegion>
                  <HelperTextItem>
                    {scope === null || permission === "admin" ? t("grant.labels.help") : <Reached place={scope} />}
                  </HelperTextItem>
                </HelperText>
              </FormHelperText>
            </FormGroup>
          ) : null}
          <FormGroup label={t("grant.domains")} role="group" fieldId="grant-domains">
            <div className="hf-line-row">
              {DOMAINS.map((domain) => (
                <Checkbox
                  key={domain}
                  id={`grant-domain-${domain}`}
                  label={domain}
                  isChecked={domains.includes(domain)}
                  onChange={(_event, checked) =>
                    setDomains(DOMAINS.filter((one) => (one === domain ? checked : domains.includes(one))))
                  }
                />
              ))}
            </div>
          </FormGroup>
        </Form>
        {given === null ? null : (
          <Alert
            isInline
            isPlain
            variant={allowed.includes("apply") || allowed.includes("admin") ? "warning" : "info"}
            component="p"
            className="hf-dialog-form"
            title={t("grant.sentence", { name, what: text.what(given), where: text.where(given) })}
          >
            <ul className="hf-plain-list">
              {allowed.map((one) => (
                <li key={one}>{t(`permission.${one}`)}</li>
              ))}
            </ul>
            {allowed.includes("admin") && !isEverywhere(given) ? <p>{t("grant.narrowAdmin")}</p> : null}
          </Alert>
        )}
        <ProblemAlert error={error} title={t("grant.failed")} />
      </ModalBody>
      <ModalFooter>
        <ReasonButton type="submit" form="grant-form" reason={missing} isLoading={isPending}>
          {t("grant.give")}
        </ReasonButton>
        <Button variant="link" onClick={onClose}>
          {t("action.cancel")}
        </Button>
      </ModalFooter>
    </Modal>
  );
}

/** The servers that have the labels now: a slip of a letter is seen before it is given. */
function Reached({ place }: { readonly place: PlaceOf["scope"] }): ReactNode {
  const t = useT();
  const servers = useQuery(queries.servers());
  const grant = { permission: "view", scope: place, domains: null } as const;
  const found = servers.data?.filter((server) => holdsOn([grant], "view", server)).map((server) => server.name);
  if (found === undefined) return t("grant.labels.help");
  if (found.length === 0) return t("grant.reached.none");
  const names = found.slice(0, NAMED).join(", ");
  return t("grant.reached", { count: found.length, names: found.length > NAMED ? `${names}, …` : names });
}
