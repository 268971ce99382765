import type { Permission } from "@holdfast/core/api/account.ts";
import { PERMISSIONS } from "@holdfast/core/api/account.ts";
import { Alert, Button, FormGroup, TextInput } from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Answer, call } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useDenied } from "../../api/session.ts";
import { useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { FormDialog } from "../../parts/form-dialog.tsx";
import { paths } from "../../paths.ts";
import { AppLink } from "../../ui/link.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { PermissionBoxes } from "./permission-boxes.tsx";

type Role = Answer<"listRoles">["items"][number];

/** What the API takes for "it must not be there yet". */
const NEW = "new";

/** Sets of permissions under a name; where they hold is said when they are given. */
export function RolesPage(): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const denied = useDenied()("admin");
  const [editing, setEditing] = useState<Role | "new" | null>(null);
  const [deleting, setDeleting] = useState<Role | null>(null);
  const remove = useMutation({
    mutationFn: ({ name }: Role) => call("deleteRole", { params: { name } }),
    onSuccess: () => setDeleting(null),
    onSettled: () => client.invalidateQueries({ queryKey: ["listRoles"] }),
  });
  return (
    <>
      <PageHead
        title={t("nav.roles")}
        sub={t("roles.sub")}
        actions={
          <ReasonButton reason={denied} onClick={() => setEditing("new")}>
            {t("roles.new")}
          </ReasonButton>
        }
      />
      <PageBody>
        {denied === null ? (
          <RoleTable onEdit={setEditing} onDelete={setDeleting} />
        ) : (
          <Alert component="p" isInline variant="info" title={denied} />
        )}
      </PageBody>
      {editing === null ? null : (
        <RoleDialog role={editing === "new" ? null : editing} onClose={() => setEditing(null)} />
      )}
      {deleting === null ? null : (
        <ActDialog
          title={t("roles.delete")}
          text={t("roles.delete.ask", { name: deleting.name })}
          confirmText={t("roles.delete")}
          danger
          isPending={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate(deleting)}
          onClose={() => {
            setDeleting(null);
            remove.reset();
          }}
        />
      )}
    </>
  );
}

interface TableProps {
  readonly onEdit: (role: Role) => void;
  readonly onDelete: (role: Role) => void;
}

function RoleTable({ onEdit, onDelete }: TableProps): ReactNode {
  const t = useT();
  const roles = useQuery(queries.roles());
  return (
    <Loaded query={roles} what={t("what.roles")}>
      {({ items }) =>
        items.length === 0 ? (
          <p className="hf-quiet">{t("roles.none")}</p>
        ) : (
          <table className="hf-table">
            <caption className="hf-sr">{t("nav.roles")}</caption>
            <TableHead columns={["roles.name", "users.permissions", "roles.heldBy", "tokens.acts"]} />
            <tbody>
              {items.map((role) => (
                <tr key={role.name}>
                  <td data-label={t("roles.name")}>
                    <strong>{role.name}</strong>
                    {role.description === "" ? null : <div className="hf-quiet">{role.description}</div>}
                  </td>
                  <td data-label={t("users.permissions")}>
                    <ul className="hf-rows">
                      {role.permissions.map((permission) => (
                        <li key={permission}>
                          <code>{permission}</code> <span className="hf-quiet">{t(`permission.${permission}`)}</span>
                        </li>
                      ))}
                    </ul>
                  </td>
                  <td data-label={t("roles.heldBy")}>
                    {role.heldBy.length === 0 ? (
                      <span className="hf-quiet">{t("roles.nobody")}</span>
                    ) : (
                      <span className="hf-badges">
                        {role.heldBy.map((name) => (
                          <AppLink key={name} to={paths.user(name)}>
                            {name}
                          </AppLink>
                        ))}
                      </span>
                    )}
                  </td>
                  <td data-label={t("tokens.acts")}>
                    <div className="hf-actions">
                      <Button size="sm" variant="link" isInline onClick={() => onEdit(role)}>
                        {t("roles.change")}
                      </Button>
                      <ReasonButton
                        size="sm"
                        variant="link"
                        isInline
                        isDanger
                        reason={role.heldBy.length === 0 ? null : t("roles.isHeld", { names: role.heldBy.join(", ") })}
                        onClick={() => onDelete(role)}
                      >
                        {t("roles.delete")}
                      </ReasonButton>
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )
      }
    </Loaded>
  );
}

function RoleDialog({ role, onClose }: { readonly role: Role | null; readonly onClose: () => void }): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const [name, setName] = useState(role?.name ?? "");
  const [description, setDescription] = useState(role?.description ?? "");
  const [chosen, setChosen] = useState<readonly Permission[]>(role?.permissions ?? ["view"]);
  const save = useMutation({
    mutationFn: () =>
      call("saveRole", {
        params: { name: name.trim() },
        body: { description: description.trim(), permissions: PERMISSIONS.filter((one) => chosen.includes(one)) },
        ifMatch: role?.etag ?? NEW,
      }),
    onSuccess: onClose,
    onSettled: () => client.invalidateQueries({ queryKey: ["listRoles"] }),
  });
  const missing = name.trim() === "" ? t("roles.nameFirst") : chosen.length === 0 ? t("roles.permissionFirst") : null;
  return (
    <FormDialog
      title={role === null ? t("roles.new") : t("roles.changeOf", { name: role.name })}
      submitText={t("action.save")}
      missing={missing}
      isPending={save.isPending}
      error={save.error}
      onSubmit={() => save.mutate()}
      onClose={onClose}
    >
      {role === null ? (
        <FormGroup label={t("roles.name")} fieldId="role-name" isRequired>
          <TextInput
            id="role-name"
            value={name}
            onChange={(_event, value) => setName(value)}
            autoComplete="off"
            spellCheck={false}
            placeholder="web-operator"
            autoFocus
          />
        </FormGroup>
      ) : role.heldBy.length === 0 ? null : (
        <Alert
          isInline
          variant="warning"
          component="p"
          title={t("roles.change.ask", { names: role.heldBy.join(", ") })}
        />
      )}
      <FormGroup label={t("roles.description")} fieldId="role-description">
        <TextInput
          id="role-description"
          value={description}
          onChange={(_event, value) => setDescription(value)}
          maxLength={200}
        />
      </FormGroup>
      <PermissionBoxes chosen={chosen} offered={PERMISSIONS} onChange={setChosen} />
    </FormDialog>
  );
}
