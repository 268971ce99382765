import { Button, Card, CardBody, CardTitle, FormGroup, TextInput } from "@patternfly/react-core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { type Answer, call } from "../../api/client.ts";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { ActDialog } from "../../parts/act-dialog.tsx";
import { FormDialog } from "../../parts/form-dialog.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { ReasonButton } from "../../ui/reason-button.tsx";
import { type Link, LinksList } from "./links-list.tsx";

type User = Answer<"listUsers">["items"][number];

/** Who at the provider signs in to somebody's account. Only an administrator says so, never about their own. */
export function UserLinks({ user }: { readonly user: User }): ReactNode {
  const t = useT();
  const look = useLookAgain();
  const links = useQuery(queries.userLinks(user.name));
  const methods = useQuery(queries.signInMethods());
  const { data: me } = useQuery(queries.me());
  const [linking, setLinking] = useState(false);
  const [ending, setEnding] = useState<Link | null>(null);
  const unlink = useMutation({
    mutationFn: ({ id }: Link) => call("unlinkUser", { params: { name: user.name, id } }),
    onSuccess: () => setEnding(null),
    onSettled: look,
  });
  const provider = methods.data?.oidc?.label;
  const whyNot = me?.user === user.name ? t("links.isOwn") : provider === undefined ? t("links.noProvider") : null;
  return (
    <Card isCompact id="user-links">
      <CardTitle component="h2">{t("links.title")}</CardTitle>
      <CardBody className="hf-stack">
        <Loaded query={links} what={t("links.title")}>
          {({ items }) =>
            items.length === 0 ? (
              <p className="hf-quiet">{t("links.none")}</p>
            ) : (
              <LinksList
                links={items}
                act={(link) => (
                  <Button
                    size="sm"
                    variant="link"
                    isDanger
                    isInline
                    aria-label={t("links.endOne", { subject: link.subject })}
                    onClick={() => setEnding(link)}
                  >
                    {t("links.end")}
                  </Button>
                )}
              />
            )
          }
        </Loaded>
        <div className="hf-actions">
          <ReasonButton size="sm" variant="secondary" reason={whyNot} onClick={() => setLinking(true)}>
            {t("links.new")}
          </ReasonButton>
        </div>
      </CardBody>
      {linking ? <NewLink name={user.name} provider={provider ?? ""} onClose={() => setLinking(false)} /> : null}
      {ending === null ? null : (
        <ActDialog
          title={t("links.end")}
          text={t("links.end.ask", { name: user.name, subject: ending.subject })}
          confirmText={t("links.end")}
          danger
          isPending={unlink.isPending}
          error={unlink.error}
          onConfirm={() => unlink.mutate(ending)}
          onClose={() => {
            setEnding(null);
            unlink.reset();
          }}
        />
      )}
    </Card>
  );
}

interface NewLinkProps {
  readonly name: string;
  readonly provider: string;
  readonly onClose: () => void;
}

function NewLink({ name, provider, onClose }: NewLinkProps): ReactNode {
  const t = useT();
  const look = useLookAgain();
  const [subject, setSubject] = useState("");
  const link = useMutation({
    mutationFn: () => call("linkUser", { params: { name }, body: { subject: subject.trim() } }),
    onSuccess: onClose,
    onSettled: look,
  });
  return (
    <FormDialog
      title={t("links.new.title", { name, provider })}
      text={t("links.new.text", { name, provider })}
      submitText={t("links.new.do")}
      missing={subject.trim() === "" ? t("links.subjectFirst") : null}
      isPending={link.isPending}
      error={link.error}
      onSubmit={() => link.mutate()}
      onClose={onClose}
    >
      <FormGroup label={t("links.subject")} fieldId="link-subject" isRequired>
        <TextInput
          id="link-subject"
          value={subject}
          onChange={(_event, value) => setSubject(value)}
          maxLength={255}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          aria-describedby="link-how"
          autoFocus
        />
        <p id="link-how" className="hf-quiet">
          {t("links.subject.how")}
        </p>
      </FormGroup>
    </FormDialog>
  );
}

/** A link and its end both end sessions. */
function useLookAgain(): () => Promise<void> {
  const client = useQueryClient();
  return async () => {
    await client.invalidateQueries({ queryKey: ["listUserIdentities"] });
    await client.invalidateQueries({ queryKey: ["listUserSessions"] });
  };
}
