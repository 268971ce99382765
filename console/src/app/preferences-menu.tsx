import { Dropdown, DropdownGroup, DropdownItem, DropdownList, MenuToggle } from "@patternfly/react-core";
import AdjustIcon from "@patternfly/react-icons/dist/esm/icons/adjust-icon";
import { type ReactNode, useState } from "react";
import { LANGUAGES, type Language, setLanguage, useLanguage, useT } from "../i18n/language.ts";
import { setTheme, THEMES, useTheme } from "./theme.ts";

/** Each language in its own words: who cannot read the page finds theirs. */
const LANGUAGE_NAMES = { en: "English", ko: "한국어" } as const satisfies Record<Language, string>;

export function PreferencesMenu(): ReactNode {
  const t = useT();
  const [open, setOpen] = useState(false);
  const theme = useTheme();
  const language = useLanguage();
  return (
    <Dropdown
      isOpen={open}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      popperProps={{ position: "right" }}
      toggle={(ref) => (
        <MenuToggle
          ref={ref}
          variant="plain"
          isExpanded={open}
          onClick={() => setOpen(!open)}
          aria-label={t("preferences.label")}
        >
          <AdjustIcon />
        </MenuToggle>
      )}
    >
      <DropdownGroup label={t("preferences.theme")}>
        <DropdownList>
          {THEMES.map((choice) => (
            <DropdownItem key={choice} isSelected={choice === theme} onClick={() => setTheme(choice)}>
              {t(`preferences.theme.${choice}`)}
            </DropdownItem>
          ))}
        </DropdownList>
      </DropdownGroup>
      <DropdownGroup label={t("preferences.language")}>
        <DropdownList>
          {LANGUAGES.map((choice) => (
            <DropdownItem
              key={choice}
              lang={choice}
              isSelected={choice === language}
              onClick={() => void setLanguage(choice)}
            >
              {LANGUAGE_NAMES[choice]}
            </DropdownItem>
          ))}
        </DropdownList>
      </DropdownGroup>
    </Dropdown>
  );
}
