import {
  Alert,
  Button,
  Form,
  FormGroup,
  FormHelperText,
  HelperText,
  HelperTextItem,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  ProgressStep,
  ProgressStepper,
  TextInput,
} from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { call, Refused } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useLanguage, useT } from "../../i18n/language.ts";
import { KeyApproval } from "../../parts/key-approval.tsx";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { paths } from "../../paths.ts";
import { CopyText } from "../../ui/copy-text.tsx";
import { AppLink } from "../../ui/link.tsx";
import { clockTime } from "../../ui/time-text.tsx";

/** `role=web site=seoul` to labels; null when a word is no pair. */
export function parseLabels(text: string): Readonly<Record<string, string>> | null {
  const words = text.split(/[\s,]+/).filter((word) => word !== "");
  const pairs = words.map((word) => /^([^=:]+)[=:](.+)$/.exec(word));
  if (pairs.some((pair) => pair === null)) return null;
  return Object.fromEntries(
    pairs.flatMap((pair) => (pair?.[1] === undefined || pair[2] === undefined ? [] : [[pair[1], pair[2]]])),
  );
}

/** A server joins: its name, one command to run on it, and live feedback until it is here. */
export function EnrolDialog({
  onClose,
  server,
}: {
  readonly onClose: () => void;
  readonly server?: string;
}): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const [name, setName] = useState(server ?? "");
  const [labelText, setLabelText] = useState("");
  const labels = parseLabels(labelText);

  const enrol = useMutation({
    mutationFn: async () => {
      if (server === undefined) {
        try {
          await call("createServer", { body: { name, labels: labels ?? {} } });
        } catch (error) {
          // Expected already, by an earlier try: its token was lost with the answer, so a new one is right.
          if (!(error instanceof Refused) || error.problem.status !== 409) throw error;
        }
      }
      return call("enrolServer", { params: { name }, body: {} });
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ["listServers"] }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (labels !== null && name !== "" && !enrol.isPending) enrol.mutate();
  };

  return (
    <Modal isOpen variant="medium" onClose={onClose} aria-labelledby="enrol-title">
      <ModalHeader title={t("enrol.title")} labelId="enrol-title" description={t("enrol.sub")} />
      <ModalBody>
        {enrol.data === undefined ? (
          <Form id="enrol-form" onSubmit={submit}>
            <ProblemAlert error={enrol.error} title={t("enrol.failed")} />
            <FormGroup label={t("enrol.name")} fieldId="enrol-name" isRequired>
              <TextInput
                id="enrol-name"
                value={name}
                onChange={(_event, value) => setName(value.trim())}
                isDisabled={server !== undefined}
                autoFocus
                placeholder="web-4"
              />
            </FormGroup>
            {server === undefined ? (
              <FormGroup label={t("enrol.labels")} fieldId="enrol-labels">
                <TextInput
                  id="enrol-labels"
                  value={labelText}
                  onChange={(_event, value) => setLabelText(value)}
                  placeholder="role=web site=seoul"
                  validated={labels === null ? "error" : "default"}
                  aria-describedby="enrol-labels-help"
                />
                <FormHelperText>
                  <HelperText id="enrol-labels-help">
                    <HelperTextItem variant={labels === null ? "error" : "default"}>
                      {labels === null ? t("enrol.labels.bad") : t("enrol.labels.why")}
                    </HelperTextItem>
                  </HelperText>
                </FormHelperText>
              </FormGroup>
            ) : null}
          </Form>
        ) : (
          <Waiting
            name={name}
            command={enrol.data.command}
            expiresAt={enrol.data.expiresAt}
            caFingerprint={enrol.data.caFingerprint}
          />
        )}
      </ModalBody>
      <ModalFooter>
        {enrol.data === undefined ? (
          <>
            <Button
              type="submit"
              form="enrol-form"
              isLoading={enrol.isPending}
              isDisabled={name === "" || labels === null}
            >
              {t("enrol.make")}
            </Button>
            <Button variant="link" onClick={onClose}>
              {t("action.cancel")}
            </Button>
          </>
        ) : (
          <Button variant="secondary" onClick={onClose}>
            {t("action.close")}
          </Button>
        )}
      </ModalFooter>
    </Modal>
  );
}

interface WaitingProps {
  readonly name: string;
  readonly command: string;
  readonly expiresAt: string;
  readonly caFingerprint: string;
}

function Waiting({ name, command, expiresAt, caFingerprint }: WaitingProps): ReactNode {
  const t = useT();
  const language = useLanguage();
  const { data } = useQuery({ ...queries.server(name), refetchInterval: 1500 });
  const seen = data !== undefined && (data.pendingKey !== null || data.enrolment === "enrolled");
  const enrolled = data?.enrolment === "enrolled";
  const here = enrolled && data.connected;
  return (
    <>
      <p>{t("enrol.run", { name })}</p>
      <CopyText text={command} block />
      <p className="hf-quiet">{t("enrol.once", { time: clockTime(expiresAt, language) })}</p>
      <ProgressStepper isVertical aria-label={t("enrol.progress")}>
        <ProgressStep
          id="enrol-1"
          titleId="enrol-1t"
          variant={seen ? "success" : "info"}
          isCurrent={!seen}
          description={seen ? "" : t("enrol.step.key.wait")}
          aria-label={t("enrol.step.key")}
        >
          {t("enrol.step.key")}
        </ProgressStep>
        <ProgressStep
          id="enrol-2"
          titleId="enrol-2t"
          variant={enrolled ? "success" : seen ? "warning" : "pending"}
          isCurrent={seen && !enrolled}
          aria-label={t("enrol.step.approve")}
        >
          {t("enrol.step.approve")}
        </ProgressStep>
        <ProgressStep
          id="enrol-3"
          titleId="enrol-3t"
          variant={here ? "success" : "pending"}
          isCurrent={enrolled && !here}
          aria-label={t("enrol.step.here")}
        >
          {t("enrol.step.here")}
        </ProgressStep>
      </ProgressStepper>
      {data?.pendingKey === undefined || data.pendingKey === null ? null : (
        <KeyApproval server={name} fingerprint={data.pendingKey.fingerprint} since={data.pendingKey.since} />
      )}
      {here ? (
        <Alert component="p" isInline variant="success" title={t("enrol.done", { name })}>
          <AppLink to={paths.server(name)}>{t("enrol.go", { name })}</AppLink>
        </Alert>
      ) : (
        <p className="hf-quiet">
          {t("enrol.ca")} <code>{caFingerprint}</code>
        </p>
      )}
    </>
  );
}
