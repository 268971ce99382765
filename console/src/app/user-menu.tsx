import { Dropdown, DropdownItem, DropdownList, MenuToggle } from "@patternfly/react-core";
import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { call, setCsrfToken } from "../api/client.ts";
import { useT } from "../i18n/language.ts";
import { paths } from "../paths.ts";
import { usePlace } from "./place.ts";

export function UserMenu({ user }: { readonly user: string }): ReactNode {
  const t = useT();
  const [open, setOpen] = useState(false);
  const place = usePlace();
  const client = useQueryClient();
  const signOut = async (): Promise<void> => {
    // Whatever the answer: this window forgets. A session that could not be ended there runs out by itself.
    await call("logout").catch(() => undefined);
    setCsrfToken(null);
    client.clear();
    place.go(paths.login());
  };
  return (
    <Dropdown
      isOpen={open}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      popperProps={{ position: "right" }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          variant="plainText"
          isExpanded={open}
          onClick={() => setOpen(!open)}
          aria-label={t("user.menu", { user })}
        >
          {user}
        </MenuToggle>
      )}
    >
      <DropdownList>
        <DropdownItem onClick={() => place.go(paths.account())}>{t("nav.account")}</DropdownItem>
        <DropdownItem onClick={() => place.go(paths.password())}>{t("user.password")}</DropdownItem>
        <DropdownItem onClick={() => place.go(paths.tokens())}>{t("nav.tokens")}</DropdownItem>
        <DropdownItem onClick={() => void signOut()}>{t("user.signOut")}</DropdownItem>
      </DropdownList>
    </Dropdown>
  );
}
