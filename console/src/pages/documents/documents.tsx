import type { documentSummarySchema } from "@holdfast/core/api/document.ts";
import { API_VERSION, DOCUMENT_KINDS } from "@holdfast/core/policy/document.ts";
import {
  Button,
  Form,
  FormGroup,
  FormSelect,
  FormSelectOption,
  Label,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  SearchInput,
  TextInput,
  ToggleGroup,
  ToggleGroupItem,
} from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, lazy, type ReactNode, Suspense, useState } from "react";
import type { z } from "zod";
import { queries } from "../../api/queries.ts";
import { useDenied } from "../../api/session.ts";
import { usePlace } from "../../app/place.ts";
import { useSearchState } from "../../app/search-state.ts";
import { beginNew, type Taken } from "../../editor/new-document.ts";
import { type PendingEdit, sameDocument, updatePending, usePending, withEdit } from "../../editor/pending.ts";
import { type MessageKey, useT } from "../../i18n/language.ts";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { TimeText } from "../../ui/time-text.tsx";

/** Brings the schema of tunnels with it, which the list does not need. */
const TunnelWizard = lazy(async () => ({ default: (await import("./tunnel-wizard-dialog.tsx")).TunnelWizard }));

const PeopleWizard = lazy(async () => ({ default: (await import("./people-wizard-dialog.tsx")).PeopleWizard }));

type DocumentSummary = z.infer<typeof documentSummarySchema>;
/** What this page is about; a server's own document is edited from its page. */
const LISTED_KINDS = DOCUMENT_KINDS.filter((kind) => kind !== "Server");

export function DocumentsPage(): ReactNode {
  const t = useT();
  const denied = useDenied();
  const documents = useQuery(queries.documents());
  const [creating, setCreating] = useState(false);
  const [connecting, setConnecting] = useState(false);
  const [inviting, setInviting] = useState(false);
  return (
    <>
      <PageHead
        title={t("nav.documents")}
        sub={t("documents.sub")}
        actions={
          <span className="hf-badges">
            <ReasonButton variant="secondary" reason={denied("edit")} onClick={() => setConnecting(true)}>
              {t("wizard.open")}
            </ReasonButton>
            <ReasonButton variant="secondary" reason={denied("edit")} onClick={() => setInviting(true)}>
              {t("invite.open")}
            </ReasonButton>
            <ReasonButton reason={denied("edit")} onClick={() => setCreating(true)}>
              {t("documents.new")}
            </ReasonButton>
          </span>
        }
      />
      <PageBody>
        <Loaded query={documents} what={t("what.documents")}>
          {(shared) => <Documents shared={shared} />}
        </Loaded>
      </PageBody>
      {connecting ? (
        <Suspense fallback={null}>
          <TunnelWizard known={documents.data ?? []} onClose={() => setConnecting(false)} />
        </Suspense>
      ) : null}
      {inviting ? (
        <Suspense fallback={null}>
          <PeopleWizard known={documents.data ?? []} onClose={() => setInviting(false)} />
        </Suspense>
      ) : null}
      {creating ? <NewDocument known={documents.data ?? []} onClose={() => setCreating(false)} /> : null}
    </>
  );
}

function Documents({ shared }: { readonly shared: readonly DocumentSummary[] }): ReactNode {
  const t = useT();
  const [kind, setKind] = useSearchState("kind");
  const [filter, setFilter] = useSearchState("q");
  const ofServers = useQuery({ ...queries.serverDocuments(), enabled: kind === "Server" });
  const kinds = [...LISTED_KINDS, "Server"];
  const matching = (all: readonly DocumentSummary[]) => all.filter(({ name }) => name.includes(filter.toLowerCase()));
  return (
    <div className="hf-stack">
      <div className="hf-line-row">
        <ToggleGroup aria-label={t("documents.kind")}>
          <ToggleGroupItem
            text={t("documents.shared")}
            buttonId="kind-all"
            isSelected={kind === ""}
            onChange={() => setKind("")}
          />
          {kinds.map((choice) => (
            <ToggleGroupItem
              key={choice}
              text={choice}
              buttonId={`kind-${choice}`}
              isSelected={kind === choice}
              onChange={() => setKind(choice)}
            />
          ))}
        </ToggleGroup>
        <SearchInput
          className="hf-search"
          aria-label={t("documents.filter")}
          placeholder={t("documents.filter")}
          value={filter}
          onChange={(_event, value) => setFilter(value)}
          onClear={() => setFilter("")}
        />
      </div>
      {kind === "Server" ? (
        <Loaded query={ofServers} what={t("what.documents")}>
          {(all) => <DocumentTable found={matching(all)} isEmpty={false} />}
        </Loaded>
      ) : (
        <DocumentTable
          found={matching(kind === "" ? shared : shared.filter((one) => one.kind === kind))}
          isEmpty={shared.length === 0}
        />
      )}
    </div>
  );
}

interface TableProps {
  readonly found: readonly DocumentSummary[];
  /** There is none at all, whatever is asked for. */
  readonly isEmpty: boolean;
}

function DocumentTable({ found, isEmpty }: TableProps): ReactNode {
  const t = useT();
  const pending = usePending();
  if (found.length === 0) return <p className="hf-quiet">{isEmpty ? t("documents.empty") : t("documents.none")}</p>;
  return (
    <table className="hf-table">
      <caption className="hf-sr">{t("nav.documents")}</caption>
      <TableHead columns={["documents.name", "documents.revision", "documents.inForce", "documents.changed"]} />
      <tbody>
        {found.map((one) => (
          <tr key={`${one.kind}/${one.name}`}>
            <td data-label={t("documents.name")}>
              <span className="hf-quiet">{one.kind}/</span>
              <AppLink to={paths.document(one.kind, one.name)}>{one.name}</AppLink>{" "}
              <PendingMark edit={pending.edits.find((edit) => sameDocument(edit, one))} />
              {one.deleted ? <Label isCompact>{t("documents.deleted")}</Label> : null}
            </td>
            <td data-label={t("documents.revision")}>{t("revision", { revision: one.revision })}</td>
            <td data-label={t("documents.inForce")}>
              <InForce document={one} />
            </td>
            <td data-label={t("documents.changed")}>
              {one.author} · <TimeText at={one.at} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function PendingMark({ edit }: { readonly edit: PendingEdit | undefined }): ReactNode {
  const t = useT();
  return edit === undefined ? null : (
    <Label isCompact color="purple">
      {t(edit.text === null ? "documents.pendingDelete" : "documents.pending")}
    </Label>
  );
}

/** On how many servers, and whether some run another revision than the newest. */
function InForce({ document }: { readonly document: DocumentSummary }): ReactNode {
  const t = useT();
  const { inForceOn, revision } = document;
  if (inForceOn.length === 0) return <span className="hf-quiet">{t("documents.nowhere")}</span>;
  const older = inForceOn.filter((one) => one.revision !== revision);
  return (
    <span title={inForceOn.map((one) => `${one.server} r${one.revision}`).join("\n")}>
      {t("documents.onServers", { count: inForceOn.length })}{" "}
      {older.length === 0 ? null : (
        <Label isCompact color="yellow">
          {t("documents.older", { count: older.length })}
        </Label>
      )}
    </span>
  );
}

function template(kind: string, name: string): string {
  const head = `apiVersion: ${API_VERSION}\nkind: ${kind}\nname: ${name}\n`;
  switch (kind) {
    case "Policy":
      return `${head}description: ""\nlayer: role\nselector: { role: ${name} }\n\nfirewall:\n  mode: observe                    # count what would be dropped, drop nothing; enforce when it is quiet\n  inbound:\n    default: drop\n    rules:\n      - name: ssh\n        allow: tcp/22\n        from: any\n`;
    case "Group":
      return `${head}addresses: []\n`;
    case "Tunnel":
      return `${head}ends:\n  here: { server: "", address: dynamic, networks: [] }\n  there: { server: "", address: "", networks: [] }\nvia: policy\nclearText: block                  # packets for the other end never leave unencrypted\nauth: { psk: "file:${name}" }       # /etc/holdfast/secrets/vpn/${name} on both servers\nsuite: strong-2026\nlifetime: { ike: 12h, child: 1h }\ndead: { after: 30s, then: restart }\ntraffic: { default: drop, rules: [] }\nexpect: []\n`;
    case "Floor":
      return `${head}selector: { all: true }\nmanagement: []\n`;
    default:
      return `${head}labels: {}\n`;
  }
}

const TAKEN_TEXT = {
  exists: "documents.taken",
  pending: "documents.takenPending",
} as const satisfies Record<Taken, MessageKey>;

function NewDocument({
  known,
  onClose,
}: {
  readonly known: readonly DocumentSummary[];
  readonly onClose: () => void;
}): ReactNode {
  const t = useT();
  const place = usePlace();
  const [kind, setKind] = useState<string>("Policy");
  const [name, setName] = useState("");
  const begun = beginNew(known, usePending(), { kind, name, text: template(kind, name) });
  const fault =
    name === ""
      ? ""
      : /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name)
        ? begun.ok
          ? null
          : t(TAKEN_TEXT[begun.error])
        : t("documents.badName");
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (fault !== null || !begun.ok) return;
    updatePending((pending) => withEdit(pending, begun.value));
    place.go(paths.editDocument(kind, name));
  };
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="new-title">
      <ModalHeader title={t("documents.new")} labelId="new-title" description={t("documents.new.sub")} />
      <ModalBody>
        <Form id="new-form" onSubmit={submit}>
          <FormGroup label={t("documents.kind")} fieldId="new-kind">
            <FormSelect id="new-kind" value={kind} onChange={(_event, value) => setKind(value)}>
              {LISTED_KINDS.map((choice) => (
                <FormSelectOption key={choice} value={choice} label={choice} />
              ))}
            </FormSelect>
          </FormGroup>
          <FormGroup label={t("documents.name")} fieldId="new-name" isRequired>
            <TextInput
              id="new-name"
              value={name}
              onChange={(_event, value) => setName(value)}
              autoFocus
              validated={fault === null || fault === "" ? "default" : "error"}
              aria-describedby="new-fault"
              spellCheck={false}
            />
            <p id="new-fault" className="hf-quiet" role="status">
              {fault ?? ""}{" "}
              {begun.ok ? null : <AppLink to={paths.editDocument(kind, name)}>{t("documents.taken.open")}</AppLink>}
            </p>
          </FormGroup>
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="new-form" isDisabled={fault !== null}>
          {t("documents.write")}
        </Button>
        <Button variant="link" onClick={onClose}>
          {t("action.cancel")}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
