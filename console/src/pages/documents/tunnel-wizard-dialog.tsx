import type { ServerSummary } from "@holdfast/core/api/server.ts";
import { TUNNEL_SUITE_NAMES } from "@holdfast/core/policy/tunnel-suite.ts";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useId, useState } from "react";
import { queries } from "../../api/queries.ts";
import type { KnownDocument } from "../../editor/new-document.ts";
import { isPrivate, tunnelText, type TunnelWish, type WizardEnd } from "../../editor/tunnel-wizard.ts";
import { useT } from "../../i18n/language.ts";
import { TunnelDraftDialog, useTunnelDraft } from "./tunnel-draft.tsx";
import { Choice, Input, Lines, useAddressesOf } from "./wizard-fields.tsx";

const NOTHING: WizardEnd = {
  name: "",
  server: "",
  address: "",
  identity: "",
  sent: { of: "authority", pem: "" },
  networks: "",
};
/** The value of the choice that is no server. */
const EXTERNAL = "\u0000";

/** From two ends to one Tunnel document in the pending change. Nothing is applied here. */
export function TunnelWizard({
  known,
  onClose,
}: {
  readonly known: readonly KnownDocument[];
  readonly onClose: () => void;
}): ReactNode {
  const t = useT();
  const servers = useQuery(queries.servers());
  const [wish, setWish] = useState<TunnelWish>({
    name: "",
    ends: [NOTHING, NOTHING],
    by: "key",
    keyFile: "",
    suite: TUNNEL_SUITE_NAMES[0],
    clearText: "block",
    services: "icmp/echo",
  });
  const text = tunnelText(withNames(wish));
  const [one, other] = wish.ends;
  const name = wish.name.trim();
  const isBegun = name !== "" && [one, other].every((end) => end.networks.trim() !== "");
  const unready = wish.ends.some((end) => asksForCertificate(end, wish.by) && isPrivate(end.sent.pem))
    ? t("wizard.sent.private")
    : isBegun
      ? null
      : t("wizard.fill");
  const draft = useTunnelDraft({ known, name, text, unready });
  return (
    <TunnelDraftDialog
      title={t("wizard.title")}
      sub={t("wizard.sub")}
      draft={draft}
      isBegun={isBegun}
      onClose={onClose}
    >
      <div className="hf-form-lines">
        <Input label={t("wizard.name")} value={wish.name} onChange={(typed) => setWish({ ...wish, name: typed })} />
        <Choice
          label={t("wizard.by")}
          value={wish.by}
          choices={[
            ["key", t("wizard.by.key")],
            ["certificate", t("wizard.by.certificate")],
          ]}
          onChange={(value) => setWish({ ...wish, by: value === "certificate" ? "certificate" : "key" })}
        />
        {wish.by === "key" ? (
          <Input
            label={t("wizard.key")}
            help={t("wizard.key.help")}
            value={wish.keyFile}
            placeholder={keyFileOf(wish) === "" ? t("wizard.key.generated") : keyFileOf(wish)}
            onChange={(keyFile) => setWish({ ...wish, keyFile })}
          />
        ) : null}
      </div>
      <div className="hf-wizard-ends">
        <End
          title={t("wizard.one")}
          end={one}
          by={wish.by}
          servers={servers.data ?? []}
          onChange={(end) => setWish({ ...wish, ends: [end, other] })}
        />
        <End
          title={t("wizard.other")}
          end={other}
          by={wish.by}
          servers={servers.data ?? []}
          onChange={(end) => setWish({ ...wish, ends: [one, end] })}
        />
      </div>
      <div className="hf-form-lines">
        <Input
          label={t("wizard.services")}
          help={t("wizard.services.help")}
          value={wish.services}
          onChange={(services) => setWish({ ...wish, services })}
        />
        <Choice
          label={t("wizard.suite")}
          value={wish.suite}
          choices={TUNNEL_SUITE_NAMES.map((suite) => [suite, suite])}
          onChange={(value) =>
            setWish({ ...wish, suite: TUNNEL_SUITE_NAMES.find((suite) => suite === value) ?? wish.suite })
          }
        />
        <Choice
          label={t("wizard.clearText")}
          value={wish.clearText}
          choices={[
            ["block", t("wizard.clearText.block")],
            ["allow", t("wizard.clearText.allow")],
          ]}
          onChange={(value) => setWish({ ...wish, clearText: value === "allow" ? "allow" : "block" })}
        />
      </div>
    </TunnelDraftDialog>
  );
}

/**
 * An end is called by its server, unless both would be. Between two servers of ours the key is generated; another administrator's end needs one
 * that was agreed on, in a file called by the tunnel with a number that the next key raises.
 */
function withNames(wish: TunnelWish): TunnelWish {
  const [one, other] = wish.ends.map((end, index) => ({
    ...end,
    name: end.server === null || end.server === "" ? (index === 0 ? "here" : "there") : end.server,
  }));
  if (one === undefined || other === undefined) return wish;
  const ends: TunnelWish["ends"] =
    one.name === other.name ? [one, { ...other, name: `${other.name}-2` }] : [one, other];
  return { ...wish, ends, keyFile: wish.keyFile.trim() === "" ? keyFileOf(wish) : wish.keyFile.trim() };
}

function keyFileOf({ name, ends }: TunnelWish): string {
  if (ends.every(({ server }) => server !== null)) return "";
  return `${name.trim() === "" ? "tunnel" : name.trim()}-1`;
}

function asksForCertificate({ server }: WizardEnd, by: TunnelWish["by"]): boolean {
  return server === null && by === "certificate";
}

interface EndProps {
  readonly title: string;
  readonly end: WizardEnd;
  readonly by: TunnelWish["by"];
  readonly servers: readonly ServerSummary[];
  readonly onChange: (end: WizardEnd) => void;
}

function End({ title, end, by, servers, onChange }: EndProps): ReactNode {
  const t = useT();
  const id = useId();
  const addresses = useAddressesOf(end.server ?? "");
  return (
    <fieldset className="hf-form-part" data-depth={0}>
      <legend className="hf-form-title">{title}</legend>
      <Choice
        label={t("wizard.server")}
        value={end.server ?? EXTERNAL}
        choices={[
          ["", t("wizard.choose")],
          ...servers.map(({ name }) => [name, name] as const),
          [EXTERNAL, t("wizard.external")],
        ]}
        onChange={(value) => onChange({ ...end, server: value === EXTERNAL ? null : value })}
      />
      <Input
        label={t("wizard.address")}
        help={t("wizard.address.help")}
        value={end.address}
        list={`${id}-addresses`}
        onChange={(address) => onChange({ ...end, address })}
      />
      <datalist id={`${id}-addresses`}>
        {[...addresses, "dynamic"].map((address) => (
          <option key={address} value={address} />
        ))}
      </datalist>
      {end.server === null ? (
        <Input
          label={t("wizard.identity")}
          help={t("wizard.identity.help")}
          value={end.identity}
          onChange={(identity) => onChange({ ...end, identity })}
        />
      ) : null}
      {asksForCertificate(end, by) ? (
        <>
          <Choice
            label={t("wizard.sent")}
            value={end.sent.of}
            choices={[
              ["authority", t("wizard.sent.authority")],
              ["end", t("wizard.sent.end")],
            ]}
            onChange={(value) => onChange({ ...end, sent: { ...end.sent, of: value === "end" ? "end" : "authority" } })}
          />
          <Lines
            label={t("wizard.sent.pem")}
            help={t("wizard.sent.help")}
            placeholder="-----BEGIN CERTIFICATE-----"
            value={end.sent.pem}
            onChange={(pem) => onChange({ ...end, sent: { ...end.sent, pem } })}
          />
        </>
      ) : null}
      <Input
        label={t("wizard.networks")}
        help={t("wizard.networks.help")}
        value={end.networks}
        onChange={(networks) => onChange({ ...end, networks })}
      />
    </fieldset>
  );
}
