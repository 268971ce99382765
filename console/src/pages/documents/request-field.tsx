import { requestCommands } from "@holdfast/core/policy/request-command.ts";
import { parseMail } from "@holdfast/core/policy/tunnel-text.ts";
import { Alert } from "@patternfly/react-core";
import { type ReactNode, useId, useState } from "react";
import { isOthers, type RequestReading } from "../../editor/certify.ts";
import { isPrivate } from "../../editor/tunnel-wizard.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { CopyText } from "../../ui/copy-text.tsx";

type Flaw = Extract<RequestReading, { readonly state: "wrong" }>["flaw"];

const FLAW_TEXT = {
  private_key: "certify.flaw.private",
  too_long: "certify.flaw.long",
  several: "certify.flaw.several",
  certificate: "certify.flaw.certificate",
  no_request: "certify.flaw.none",
  unreadable: "certify.flaw.unreadable",
  kind: "certify.flaw.kind",
  curve: "certify.flaw.curve",
  short: "certify.flaw.short",
  long: "certify.flaw.bits",
  exponent: "certify.flaw.exponent",
  signature: "certify.flaw.signature",
} as const satisfies Record<Flaw, MessageKey>;

interface Props {
  /** How the person is called here, and on the device's files. */
  readonly person: string;
  readonly identity: string;
  readonly value: string;
  readonly reading: RequestReading;
  /** What else is wrong with it, in words. */
  readonly problem?: string | null;
  readonly onChange: (value: string) => void;
}

/**
 * Where the request of a device is pasted: how the device makes it, and what it says before anything is certified. A private key that is pasted by mistake is
 * taken out of the page at once, and goes nowhere.
 */
export function RequestField({ person, identity, value, reading, problem = null, onChange }: Props): ReactNode {
  const t = useT();
  const id = useId();
  const [isSpilt, setSpilt] = useState(false);
  const change = (text: string): void => {
    setSpilt(isPrivate(text));
    onChange(isPrivate(text) ? "" : text);
  };
  const said = isSpilt
    ? t("certify.flaw.private")
    : reading.state === "wrong"
      ? t(FLAW_TEXT[reading.flaw])
      : isOthers(reading, identity) && reading.state === "good"
        ? t("certify.flaw.other", { person: reading.holder?.person ?? "", tunnel: reading.holder?.tunnel ?? "" })
        : problem;
  return (
    <div className="hf-form-line" data-long="true">
      <label htmlFor={id}>{t("certify.request")}</label>
      <textarea
        id={id}
        className="hf-cell"
        rows={4}
        value={value}
        placeholder="-----BEGIN CERTIFICATE REQUEST-----"
        spellCheck={false}
        autoComplete="off"
        aria-invalid={said !== null}
        aria-describedby={`${id}-said`}
        onChange={(event) => change(event.target.value)}
      />
      <div id={`${id}-said`} className="hf-form-help" role="status">
        {said === null ? null : <Alert isInline isPlain variant="danger" component="p" title={said} />}
        {reading.state === "asking" ? <span className="hf-quiet hf-small">{t("certify.asking")}</span> : null}
        {reading.state === "unknown" ? (
          <ProblemAlert reading error={reading.error} title={t("certify.unknown")} />
        ) : null}
        <Says reading={reading} identity={identity} />
      </div>
      <div className="hf-form-help">
        <Commands person={person} identity={identity} />
      </div>
    </div>
  );
}

/** What stands in the request, and that nothing of it but the key is taken. */
function Says({ reading, identity }: Pick<Props, "reading" | "identity">): ReactNode {
  const t = useT();
  if ((reading.state !== "good" && reading.state !== "wrong") || reading.says === null) return null;
  const { subject, names, key, keyFingerprint } = reading.says;
  const isSameKey = reading.state === "good" && reading.holder !== null && !isOthers(reading, identity);
  return (
    <dl className="hf-ends">
      <div>
        <dt>{t("certify.says.key")}</dt>
        <dd>
          {key}
          {isSameKey ? <div className="hf-quiet">{t("certify.says.sameKey")}</div> : null}
        </dd>
      </div>
      <div>
        <dt>{t("certify.says.subject")}</dt>
        <dd>{subject === "" ? t("certify.says.nothing") : subject}</dd>
      </div>
      <div>
        <dt>{t("certify.says.names")}</dt>
        <dd>{names.length === 0 ? t("certify.says.nothing") : names.join(", ")}</dd>
      </div>
      <div>
        <dt>{t("certify.says.fingerprint")}</dt>
        <dd>
          <code>{keyFingerprint}</code>
        </dd>
      </div>
    </dl>
  );
}

/** As it is typed on the device, with the names of this person. */
function Commands({ person, identity }: Pick<Props, "person" | "identity">): ReactNode {
  const t = useT();
  const name = /^[a-z0-9-]{1,24}$/.test(person) ? person : "person";
  const isNamed = identity.includes("@") && parseMail(identity).ok;
  return (
    <details>
      <summary>{t("certify.how")}</summary>
      <p className="hf-quiet hf-small">{isNamed ? t("certify.how.help", { name }) : t("certify.how.first")}</p>
      {isNamed
        ? requestCommands(identity, name).map((one) => (
            <div key={one.with}>
              <span className="hf-small">{one.with}</span>
              <CopyText block text={one.command} />
            </div>
          ))
        : null}
    </details>
  );
}
