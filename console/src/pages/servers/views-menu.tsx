import {
  Divider,
  Dropdown,
  DropdownItem,
  DropdownList,
  FormGroup,
  MenuToggle,
  TextInput,
} from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { type ReactNode, useId, useState } from "react";
import { queries } from "../../api/queries.ts";
import { usePlace } from "../../app/place.ts";
import { useT } from "../../i18n/language.ts";
import { FormDialog } from "../../parts/form-dialog.tsx";
import { paths } from "../../paths.ts";
import { NAME_MOST, parseViews, type SavedView, viewOf, VIEWS_MOST, withoutView, withView } from "./saved-views.ts";

/** Another person at the same browser has views of their own. */
const STORAGE_PREFIX = "holdfast.views.";

/** The views of the table that this person keeps in this browser. */
export function ViewsMenu(): ReactNode {
  const t = useT();
  const place = usePlace();
  const { data: me } = useQuery(queries.me());
  const here = viewOf(useLocation({ select: (location) => location.searchStr }));
  const key = `${STORAGE_PREFIX}${me?.user ?? ""}`;
  const [views, setViews] = useState<readonly SavedView[]>(() => parseViews(localStorage.getItem(key)));
  const [isOpen, setOpen] = useState(false);
  const [isNaming, setNaming] = useState(false);
  const current = views.find(({ search }) => search === here);
  const keep = (next: readonly SavedView[]): void => {
    localStorage.setItem(key, JSON.stringify(next));
    setViews(next);
  };
  const full = views.length >= VIEWS_MOST ? t("servers.views.full", { most: VIEWS_MOST }) : null;
  return (
    <>
      <Dropdown
        isOpen={isOpen}
        onOpenChange={setOpen}
        onSelect={() => setOpen(false)}
        popperProps={{ appendTo: "inline" }}
        toggle={(ref) => (
          <MenuToggle ref={ref} isExpanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {current?.name ?? t("servers.views")}
          </MenuToggle>
        )}
      >
        <DropdownList>
          <DropdownItem isSelected={here === ""} onClick={() => place.replace(paths.servers())}>
            {t("servers.views.all")}
          </DropdownItem>
          {views.map(({ name, search }) => (
            <DropdownItem
              key={name}
              isSelected={search === here}
              onClick={() => place.replace(`${paths.servers()}${search === "" ? "" : `?${search}`}`)}
            >
              {name}
            </DropdownItem>
          ))}
          <Divider component="li" />
          <DropdownItem
            onClick={() => setNaming(true)}
            isAriaDisabled={full !== null}
            {...(full === null ? {} : { description: full })}
          >
            {t("servers.views.save")}
          </DropdownItem>
          {current === undefined ? null : (
            <DropdownItem onClick={() => keep(withoutView(views, current.name))}>
              {t("servers.views.forget", { name: current.name })}
            </DropdownItem>
          )}
        </DropdownList>
      </Dropdown>
      {isNaming ? (
        <NameDialog
          views={views}
          onClose={() => setNaming(false)}
          onNamed={(name) => {
            keep(withView(views, { name, search: here }));
            setNaming(false);
          }}
        />
      ) : null}
    </>
  );
}

function NameDialog({
  views,
  onNamed,
  onClose,
}: {
  readonly views: readonly SavedView[];
  readonly onNamed: (name: string) => void;
  readonly onClose: () => void;
}): ReactNode {
  const t = useT();
  const id = useId();
  const [text, setText] = useState("");
  const name = text.trim();
  return (
    <FormDialog
      title={t("servers.views.save")}
      text={t("servers.views.what")}
      submitText={t("servers.views.keep")}
      missing={name === "" ? t("servers.views.nameFirst") : null}
      onSubmit={() => onNamed(name)}
      onClose={onClose}
    >
      <FormGroup label={t("servers.views.name")} fieldId={`${id}-name`} isRequired>
        <TextInput
          id={`${id}-name`}
          value={text}
          maxLength={NAME_MOST}
          onChange={(_event, value) => setText(value)}
          autoFocus
        />
      </FormGroup>
      {views.some((view) => view.name === name) ? <p>{t("servers.views.replaces", { name })}</p> : null}
    </FormDialog>
  );
}
