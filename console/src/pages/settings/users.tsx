import { type Permission, PERMISSIONS } from "@holdfast/core/api/account.ts";
import {
  Alert,
  Button,
  Form,
  FormGroup,
  Label,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  TextInput,
} from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import { type Answer, call } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useDenied } from "../../api/session.ts";
import { useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { ProblemAlert } from "../../parts/problem-alert.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { PermissionBoxes } from "./permission-boxes.tsx";
import { SecretOnce } from "./secret-once.tsx";

type User = Answer<"listUsers">["items"][number];
type Grant = User["permissions"][number];
type Open =
  | { readonly kind: "new" }
  | { readonly kind: "permissions" | "reset" | "disable" | "enable"; readonly user: User }
  | null;

function scopeText(grant: Pick<Grant, "scope" | "domains">): string {
  const labels =
    grant.scope["all"] === true
      ? ""
      : Object.entries(grant.scope)
          .map(([key, value]) => `${key}:${String(value)}`)
          .join(" ");
  const domains = grant.domains === null ? "" : grant.domains.join(", ");
  return [labels, domains].filter((part) => part !== "").join(" · ");
}

export function UsersPage(): ReactNode {
  const t = useT();
  const denied = useDenied()("admin");
  const [open, setOpen] = useState<Open>(null);
  return (
    <>
      <PageHead
        title={t("nav.users")}
        sub={t("users.sub")}
        actions={
          <ReasonButton reason={denied} onClick={() => setOpen({ kind: "new" })}>
            {t("users.new")}
          </ReasonButton>
        }
      />
      <PageBody>
        {denied === null ? <UserTable onOpen={setOpen} /> : <Alert isInline variant="info" title={denied} />}
      </PageBody>
      {open === null ? null : <UserDialog open={open} onClose={() => setOpen(null)} />}
    </>
  );
}

function UserTable({ onOpen }: { readonly onOpen: (open: Open) => void }): ReactNode {
  const t = useT();
  const users = useQuery(queries.users());
  const { data: me } = useQuery(queries.me());
  return (
    <Loaded query={users} what={t("what.users")}>
      {({ items }) => (
        <table className="hf-table">
          <caption className="hf-sr">{t("nav.users")}</caption>
          <TableHead columns={["users.name", "users.permissions", "tokens.acts"]} />
          <tbody>
            {items.map((user) => (
              <tr key={user.name}>
                <td data-label={t("users.name")}>
                  {user.name} {user.disabled ? <Label isCompact>{t("users.disabled")}</Label> : null}{" "}
                  {user.mustChangePassword ? (
                    <Label isCompact color="orange">
                      {t("users.oneTime")}
                    </Label>
                  ) : null}
                </td>
                <td data-label={t("users.permissions")}>
                  <span className="hf-labels">
                    {user.roles.map((grant) => (
                      <span key={`role ${grant.role} ${scopeText(grant)}`} className="hf-label-pair">
                        {t("users.role", { name: grant.role })} {scopeText(grant)}
                      </span>
                    ))}
                    {user.permissions.map((grant) => (
                      <span key={`${grant.permission} ${scopeText(grant)}`} className="hf-label-pair">
                        {grant.permission} {scopeText(grant)}
                      </span>
                    ))}
                  </span>
                </td>
                <td data-label={t("tokens.acts")}>
                  <div className="hf-actions">
                    <ReasonButton
                      size="sm"
                      variant="link"
                      isInline
                      reason={user.disabled ? t("users.isDisabled") : null}
                      onClick={() => onOpen({ kind: "permissions", user })}
                    >
                      {t("users.setPermissions")}
                    </ReasonButton>
                    <ReasonButton
                      size="sm"
                      variant="link"
                      isInline
                      reason={user.disabled ? t("users.isDisabled") : user.name === me?.user ? t("users.isOwn") : null}
                      onClick={() => onOpen({ kind: "reset", user })}
                    >
                      {t("users.reset")}
                    </ReasonButton>
                    <ReasonButton
                      size="sm"
                      variant="link"
                      isInline
                      reason={user.disabled ? null : t("users.isOpen")}
                      onClick={() => onOpen({ kind: "enable", user })}
                    >
                      {t("users.enable")}
                    </ReasonButton>
                    <ReasonButton
                      size="sm"
                      variant="link"
                      isInline
                      isDanger
                      reason={user.disabled ? t("users.isDisabled") : null}
                      onClick={() => onOpen({ kind: "disable", user })}
                    >
                      {t("users.disable")}
                    </ReasonButton>
                  </div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Loaded>
  );
}

function UserDialog({ open, onClose }: { readonly open: NonNullable<Open>; readonly onClose: () => void }): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const [secret, setSecret] = useState<string | null>(null);
  const act = useMutation({
    mutationFn: (run: () => Promise<unknown>) => run(),
    onSettled: () => client.invalidateQueries({ queryKey: ["listUsers"] }),
  });
  const withPassword = (run: () => Promise<{ password: string }>): void =>
    act.mutate(async () => setSecret((await run()).password));
  const thenClose = (run: () => Promise<unknown>): void => act.mutate(() => run().then(onClose));

  if (secret !== null)
    return <SecretOnce title={t("users.password")} secret={secret} text={t("users.password.how")} onClose={onClose} />;
  switch (open.kind) {
    case "new":
      return (
        <PermissionDialog
          title={t("users.new")}
          withName
          start={["view"]}
          isPending={act.isPending}
          error={act.error}
          onSave={(name, permissions) =>
            withPassword(() => call("createUser", { body: { name, permissions: [...permissions] } }))
          }
          onClose={onClose}
        />
      );
    case "permissions":
      return (
        <PermissionDialog
          title={t("users.permissionsOf", { name: open.user.name })}
          start={[...new Set(open.user.permissions.map((grant) => grant.permission))]}
          note={open.user.permissions.some((grant) => scopeText(grant) !== "") ? t("users.narrow") : null}
          isPending={act.isPending}
          error={act.error}
          onSave={(_name, permissions) =>
            thenClose(() =>
              call("setUserPermissions", {
                params: { name: open.user.name },
                body: { permissions: grantsFor(open.user, permissions) },
                ifMatch: open.user.etag,
              }),
            )
          }
          onClose={onClose}
        />
      );
    case "reset":
      return (
        <ActDialog
          title={t("users.reset")}
          text={t("users.reset.ask", { name: open.user.name })}
          confirmText={t("users.reset")}
          danger
          isPending={act.isPending}
          error={act.error}
          onConfirm={() =>
            withPassword(() => call("resetUserPassword", { params: { name: open.user.name }, body: {} }))
          }
          onClose={onClose}
        />
      );
    case "enable":
      return (
        <ActDialog
          title={t("users.enable")}
          text={t("users.enable.ask", { name: open.user.name })}
          confirmText={t("users.enable")}
          isPending={act.isPending}
          error={act.error}
          onConfirm={() => thenClose(() => call("enableUser", { params: { name: open.user.name }, body: {} }))}
          onClose={onClose}
        />
      );
    case "disable":
      return (
        <ActDialog
          title={t("users.disable")}
          text={t("users.disable.ask", { name: open.user.name })}
          confirmText={t("users.disable")}
          typed={open.user.name}
          danger
          isPending={act.isPending}
          error={act.error}
          onConfirm={() => thenClose(() => call("disableUser", { params: { name: open.user.name }, body: {} }))}
          onClose={onClose}
        />
      );
  }
}

/** What was there keeps its scope; what is new holds everywhere; what was unticked goes. */
export function grantsFor(user: Pick<User, "permissions">, chosen: readonly Permission[]): Grant[] {
  return PERMISSIONS.filter((permission) => chosen.includes(permission)).flatMap((permission) => {
    const kept = user.permissions.filter((grant) => grant.permission === permission);
    return kept.length > 0 ? kept : [{ permission, scope: { all: true as const }, domains: null }];
  });
}

interface PermissionDialogProps {
  readonly title: string;
  readonly withName?: boolean;
  readonly start: readonly Permission[];
  readonly note?: string | null;
  readonly isPending: boolean;
  readonly error: Error | null;
  readonly onSave: (name: string, permissions: readonly Permission[]) => void;
  readonly onClose: () => void;
}

function PermissionDialog({
  title,
  withName = false,
  start,
  note = null,
  isPending,
  error,
  onSave,
  onClose,
}: PermissionDialogProps): ReactNode {
  const t = useT();
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState(start);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!isPending && (!withName || name !== "")) onSave(name, chosen);
  };
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="user-title">
      <ModalHeader title={title} labelId="user-title" />
      <ModalBody>
        <Form id="user-form" onSubmit={submit}>
          {withName ? (
            <FormGroup label={t("users.name")} fieldId="user-name" isRequired>
              <TextInput
                id="user-name"
                value={name}
                onChange={(_event, value) => setName(value)}
                autoComplete="off"
                autoFocus
              />
            </FormGroup>
          ) : null}
          {note === null ? null : <Alert isInline isPlain variant="info" title={note} />}
          <PermissionBoxes chosen={chosen} offered={PERMISSIONS} onChange={setChosen} />
        </Form>
        <ProblemAlert error={error} title={t("act.failed")} />
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="user-form" isLoading={isPending} isDisabled={withName && name === ""}>
          {t("action.save")}
        </Button>
        <Button variant="link" onClick={onClose}>
          {t("action.cancel")}
        </Button>
      </ModalFooter>
    </Modal>
  );
}
