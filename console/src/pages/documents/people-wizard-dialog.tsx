import type { PersonWay } from "@holdfast/core/policy/tunnel-people.ts";
import { TUNNEL_SUITE_NAMES } from "@holdfast/core/policy/tunnel-suite.ts";
import { Button } from "@patternfly/react-core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { type ReactNode, useId, useRef, useState } from "react";
import { call } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import type { RequestReading } from "../../editor/certify.ts";
import type { KnownDocument } from "../../editor/new-document.ts";
import {
  certifyGapIn,
  keyIn,
  missingSecrets,
  type PeopleWish,
  peopleText,
  secretOf,
  typedPeople,
  type WizardPerson,
} from "../../editor/people-wizard.ts";
import { useRequests } from "../../editor/use-requests.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { GAP_TEXT } from "./certify-person.tsx";
import { type IssuedCertificate, IssuedCertificates } from "./issued-certificates.tsx";
import { RequestField } from "./request-field.tsx";
import { type DraftAct, type TunnelDraft, TunnelDraftDialog, useTunnelDraft } from "./tunnel-draft.tsx";
import { Choice, Input, useAddressesOf } from "./wizard-fields.tsx";

const NOBODY: WizardPerson = { name: "", identity: "", secret: "", request: "" };

/** How people show who they are, what most have built in first. */
const WAYS = ["password", "certificate", "psk"] as const satisfies readonly PersonWay[];

const WHO_HELP = {
  password: "invite.who.help",
  certificate: "invite.who.certificate.help",
  psk: "invite.who.help",
} as const satisfies Record<PersonWay, MessageKey>;

/** From a server and a list of people to one Tunnel document in the pending change, with a sheet for each of them. Nothing is applied here. */
export function PeopleWizard({
  known,
  onClose,
}: {
  readonly known: readonly KnownDocument[];
  readonly onClose: () => void;
}): ReactNode {
  const t = useT();
  const id = useId();
  const servers = useQuery(queries.servers());
  const [wish, setWish] = useState<PeopleWish>({
    name: "",
    server: "",
    address: "",
    networks: "",
    pool: "",
    dns: "",
    people: [NOBODY],
    way: "password",
    hostname: "",
    suite: TUNNEL_SUITE_NAMES[0],
    services: "icmp/echo",
  });
  const addresses = useAddressesOf(wish.server);
  const text = peopleText(wish);
  const name = wish.name.trim();
  const isBegun = [name, wish.server, wish.networks, wish.pool].every((one) => one.trim() !== "");
  const isByCertificate = wish.way === "certificate";
  const readings = useRequests(
    wish.server,
    wish.people.map(({ request }) => (isByCertificate ? request : "")),
  );
  const gap = isByCertificate ? certifyGapIn(wish, readings) : null;
  const unready =
    isBegun && typedPeople(wish).length > 0
      ? gap === null
        ? null
        : `${gap.person.name.trim()}: ${t(gap.gap === "sameKey" ? "certify.gap.sameKey" : GAP_TEXT[gap.gap])}`
      : t("invite.fill");
  const draft = useTunnelDraft({ known, name, text, unready });
  const issue = useIssue(wish, draft);
  const set = (part: Partial<PeopleWish>): void => setWish({ ...wish, ...part });
  if (issue.done !== null) return <IssuedCertificates tunnel={name} {...issue.done} onClose={onClose} />;
  return (
    <TunnelDraftDialog
      title={t("invite.title")}
      sub={t("invite.sub")}
      draft={draft}
      isBegun={isBegun}
      {...(isByCertificate ? { act: issue.act } : {})}
      onClose={onClose}
    >
      <div className="hf-form-lines">
        <Input label={t("wizard.name")} value={wish.name} onChange={(typed) => set({ name: typed })} />
        <Choice
          label={t("invite.server")}
          value={wish.server}
          choices={[["", t("wizard.choose")], ...(servers.data ?? []).map((one) => [one.name, one.name] as const)]}
          onChange={(server) => set({ server })}
        />
        <Input
          label={t("invite.address")}
          help={t("invite.address.help")}
          value={wish.address}
          list={`${id}-addresses`}
          onChange={(address) => set({ address })}
        />
        <datalist id={`${id}-addresses`}>
          {addresses.map((address) => (
            <option key={address} value={address} />
          ))}
        </datalist>
        <Choice
          label={t("invite.way")}
          help={t(`invite.way.${wish.way}.help`)}
          value={wish.way}
          choices={WAYS.map((way) => [way, t(`invite.way.${way}`)])}
          onChange={(value) => set({ way: WAYS.find((way) => way === value) ?? wish.way })}
        />
        {wish.way !== "psk" && (
          <Input
            label={t("invite.hostname")}
            help={t("invite.hostname.help")}
            value={wish.hostname}
            placeholder="vpn.example.com"
            onChange={(hostname) => set({ hostname })}
          />
        )}
        <Input
          label={t("invite.networks")}
          help={t("invite.networks.help")}
          value={wish.networks}
          onChange={(networks) => set({ networks })}
        />
        <Input
          label={t("invite.pool")}
          help={t("invite.pool.help")}
          value={wish.pool}
          onChange={(pool) => set({ pool })}
        />
        <Input label={t("invite.dns")} help={t("invite.dns.help")} value={wish.dns} onChange={(dns) => set({ dns })} />
        <Input
          label={t("wizard.services")}
          help={t("invite.services.help")}
          value={wish.services}
          onChange={(services) => set({ services })}
        />
        <Choice
          label={t("wizard.suite")}
          value={wish.suite}
          choices={TUNNEL_SUITE_NAMES.map((suite) => [suite, suite])}
          onChange={(value) => set({ suite: TUNNEL_SUITE_NAMES.find((suite) => suite === value) ?? wish.suite })}
        />
      </div>
      <People way={wish.way} people={wish.people} readings={readings} onChange={(people) => set({ people })} />
      <MissingKeys wish={wish} />
    </TunnelDraftDialog>
  );
}

interface PeopleProps {
  readonly way: PersonWay;
  /** Of the request of each, in the same order. */
  readonly readings: readonly RequestReading[];
  readonly people: readonly WizardPerson[];
  readonly onChange: (people: readonly WizardPerson[]) => void;
}

/** A line for each, which says who they are to a screen reader too. */
function People({ way, people, readings, onChange }: PeopleProps): ReactNode {
  const t = useT();
  const put = (at: number, part: Partial<WizardPerson>): void =>
    onChange(people.map((person, index) => (index === at ? { ...person, ...part } : person)));
  return (
    <fieldset className="hf-form-part" data-depth={0}>
      <legend className="hf-form-title">{t("invite.who")}</legend>
      <div className="hf-people">
        {people.map((person, at) => {
          const called = person.name.trim() === "" ? t("invite.number", { number: at + 1 }) : person.name.trim();
          return (
            // Lines are only ever added below and taken out whole.
            <div key={at} role="group" aria-label={called} data-way={way}>
              <Input label={t("invite.name")} value={person.name} onChange={(name) => put(at, { name })} />
              <Input
                label={t(way === "certificate" ? "certify.identity" : "invite.identity")}
                value={person.identity}
                placeholder="alice@example.com"
                onChange={(identity) => put(at, { identity })}
              />
              {way === "certificate" ? null : (
                <Input
                  label={t("invite.secret")}
                  value={person.secret}
                  placeholder={person.name.trim() === "" ? "" : secretOf(person)}
                  onChange={(secret) => put(at, { secret })}
                />
              )}
              <ReasonButton
                size="sm"
                variant="secondary"
                reason={people.length === 1 ? t("invite.one") : null}
                aria-label={t("invite.remove", { name: called })}
                onClick={() => onChange(people.filter((_, index) => index !== at))}
              >
                {t("invite.remove.short")}
              </ReasonButton>
              {way === "certificate" ? (
                <RequestField
                  person={person.name.trim()}
                  identity={person.identity.trim()}
                  value={person.request}
                  reading={readings[at] ?? { state: "none" }}
                  problem={isSameKey(readings, at) ? t("certify.gap.sameKey") : null}
                  onChange={(request) => put(at, { request })}
                />
              ) : null}
            </div>
          );
        })}
      </div>
      <Button size="sm" variant="secondary" onClick={() => onChange([...people, NOBODY])}>
        {t("invite.add")}
      </Button>
      <p className="hf-quiet hf-small">{t(WHO_HELP[way])}</p>
    </fieldset>
  );
}

/** Whether somebody above has the same key. */
function isSameKey(readings: readonly RequestReading[], at: number): boolean {
  const key = keyIn(readings[at] ?? { state: "none" });
  return key !== null && readings.slice(0, at).some((other) => keyIn(other) === key);
}

interface Issue {
  readonly act: DraftAct;
  /** Null: not issued yet. */
  readonly done: { readonly issued: readonly IssuedCertificate[]; readonly problem: string | null } | null;
}

/**
 * The certificates of everybody, and then the document that names them into the pending change: all of them or none. What was issued before one was refused opens
 * nothing, and is not asked for again.
 */
function useIssue(wish: PeopleWish, { name: tunnel, keep }: TunnelDraft): Issue {
  const t = useT();
  const [at, setAt] = useState("");
  const kept = useRef(new Map<string, IssuedCertificate["certificate"]>());
  const issue = useMutation({
    mutationFn: async () => {
      const issued: IssuedCertificate[] = [];
      for (const one of typedPeople(wish)) {
        const person = one.name.trim();
        setAt(person);
        const { server } = wish;
        const body = { server, tunnel, person, identity: one.identity.trim(), request: one.request };
        const key = JSON.stringify(body);
        const certificate = kept.current.get(key) ?? (await call("certifyPerson", { body }));
        kept.current.set(key, certificate);
        issued.push({ person, certificate });
      }
      const pems = new Map(issued.map(({ person, certificate }) => [person, certificate.pem]));
      return { issued, problem: keep(peopleText(wish, pems)) ? null : t("wizard.takenPending", { name: tunnel }) };
    },
  });
  const act = {
    text: t("invite.certify"),
    isPending: issue.isPending,
    error: issue.error,
    failed: t("invite.certify.failed", { person: at }),
    onClick: () => issue.mutate(),
  };
  return { act, done: issue.data ?? null };
}

/** A key is written under Secrets, by hand, since somebody has to give it to the person. Without it the plan would refuse. */
function MissingKeys({ wish }: { readonly wish: PeopleWish }): ReactNode {
  const t = useT();
  const secrets = useQuery(queries.secrets());
  if (secrets.data === undefined || typedPeople(wish).length === 0) return null;
  const missing = missingSecrets(
    wish,
    secrets.data.map(({ name }) => name),
  );
  if (missing.length === 0) return null;
  return (
    <p>
      {t("invite.missing", { names: missing.join(", ") })} <AppLink to={paths.secrets()}>{t("nav.secrets")}</AppLink>
    </p>
  );
}
