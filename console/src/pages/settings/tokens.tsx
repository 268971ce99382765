import type { Permission } from "@holdfast/core/api/account.ts";
import { Button, FormGroup, FormSelect, FormSelectOption, TextInput } from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Answer, call } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useLanguage, useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { FormDialog } from "../../parts/form-dialog.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { PageBody, PageHead } from "../../ui/page-head.tsx";
import { TableHead } from "../../ui/table-head.tsx";
import { exactTime, TimeText } from "../../ui/time-text.tsx";
import { PermissionBoxes } from "./permission-boxes.tsx";
import { SecretOnce } from "./secret-once.tsx";

const DAYS = [7, 30, 90, 366] as const;

export function TokensPage(): ReactNode {
  const t = useT();
  const client = useQueryClient();
  const language = useLanguage();
  const { data: me } = useQuery(queries.me());
  const tokens = useQuery(queries.tokens());
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const [revoking, setRevoking] = useState<{ id: string; name: string } | null>(null);
  const revoke = useMutation({
    mutationFn: (id: string) => call("revokeToken", { params: { id } }),
    onSuccess: () => setRevoking(null),
    onSettled: () => client.invalidateQueries({ queryKey: ["listTokens"] }),
  });
  return (
    <>
      <PageHead
        title={t("nav.tokens")}
        sub={t("tokens.sub")}
        actions={<Button onClick={() => setMaking(true)}>{t("tokens.new")}</Button>}
      />
      <PageBody>
        <Loaded query={tokens} what={t("what.tokens")}>
          {({ items }) =>
            items.length === 0 ? (
              <p className="hf-quiet">{t("tokens.none")}</p>
            ) : (
              <table className="hf-table">
                <caption className="hf-sr">{t("nav.tokens")}</caption>
                <TableHead
                  columns={["tokens.name", "users.permissions", "tokens.used", "tokens.expires", "tokens.acts"]}
                />
                <tbody>
                  {items.map((token) => (
                    <tr key={token.id}>
                      <td data-label={t("tokens.name")}>{token.name}</td>
                      <td data-label={t("users.permissions")}>{token.permissions.join(", ")}</td>
                      <td data-label={t("tokens.used")}>
                        {token.lastUsedAt === null ? t("never") : <TimeText at={token.lastUsedAt} />}
                      </td>
                      <td data-label={t("tokens.expires")}>
                        {token.expiresAt === null ? t("never") : exactTime(token.expiresAt, language)}
                      </td>
                      <td data-label={t("tokens.acts")}>
                        <Button size="sm" variant="link" isDanger isInline onClick={() => setRevoking(token)}>
                          {t("tokens.revoke")}
                        </Button>
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            )
          }
        </Loaded>
      </PageBody>
      {making ? (
        <NewToken
          offered={me?.permissions ?? []}
          make={(body) => call("createToken", { body })}
          onClose={() => setMaking(false)}
          onMade={(made) => {
            setSecret(made);
            void client.invalidateQueries({ queryKey: ["listTokens"] });
          }}
        />
      ) : null}
      {secret === null ? null : (
        <SecretOnce
          title={t("tokens.made")}
          secret={secret}
          text={t("tokens.made.how")}
          onClose={() => setSecret(null)}
        />
      )}
      {revoking === null ? null : (
        <ActDialog
          title={t("tokens.revoke")}
          text={t("tokens.revoke.ask", { name: revoking.name })}
          confirmText={t("tokens.revoke")}
          danger
          isPending={revoke.isPending}
          error={revoke.error}
          onConfirm={() => revoke.mutate(revoking.id)}
          onClose={() => {
            setRevoking(null);
            revoke.reset();
          }}
        />
      )}
    </>
  );
}

interface NewTokenProps {
  /** What it may be given at most. */
  readonly offered: readonly Permission[];
  readonly make: (body: { name: string; permissions: Permission[]; days: number }) => Promise<Answer<"createToken">>;
  readonly onClose: () => void;
  readonly onMade: (secret: string) => void;
}

/** For oneself, or for a service. */
export function NewToken({ offered, make: send, onClose, onMade }: NewTokenProps): ReactNode {
  const t = useT();
  const [name, setName] = useState("");
  const [days, setDays] = useState(90);
  const [chosen, setChosen] = useState<readonly Permission[]>(offered.filter((permission) => permission === "view"));
  const make = useMutation({
    mutationFn: () => send({ name: name.trim(), permissions: [...chosen], days }),
    onSuccess: (token) => {
      onClose();
      onMade(token.secret);
    },
  });
  const missing = name.trim() === "" ? t("dialog.nameFirst") : chosen.length === 0 ? t("roles.permissionFirst") : null;
  return (
    <FormDialog
      title={t("tokens.new")}
      submitText={t("tokens.make")}
      missing={missing}
      isPending={make.isPending}
      error={make.error}
      onSubmit={() => make.mutate()}
      onClose={onClose}
    >
      <FormGroup label={t("tokens.name")} fieldId="token-name" isRequired>
        <TextInput
          id="token-name"
          value={name}
          onChange={(_event, value) => setName(value)}
          maxLength={100}
          placeholder="backup job"
          autoFocus
        />
      </FormGroup>
      <PermissionBoxes chosen={chosen} offered={offered} onChange={setChosen} />
      <FormGroup label={t("tokens.lives")} fieldId="token-days">
        <FormSelect id="token-days" value={days} onChange={(_event, value) => setDays(Number(value))}>
          {DAYS.map((choice) => (
            <FormSelectOption key={choice} value={choice} label={t("days", { count: choice })} />
          ))}
        </FormSelect>
      </FormGroup>
    </FormDialog>
  );
}
