import { type Permission, PERMISSIONS } from "@holdfast/core/api/account.ts";
import { Checkbox } from "@patternfly/react-core";
import { type ReactNode, useId } from "react";
import { useT } from "../../i18n/language.ts";

interface Props {
  readonly chosen: readonly Permission[];
  /** What may be given; the others are shown with the reason. */
  readonly offered: readonly Permission[];
  readonly onChange: (chosen: readonly Permission[]) => void;
}

/** None implies another, so each is a box of its own with what it allows. */
export function PermissionBoxes({ chosen, offered, onChange }: Props): ReactNode {
  const t = useT();
  const id = useId();
  return (
    <fieldset className="hf-boxes">
      <legend>{t("users.permissions")}</legend>
      {PERMISSIONS.map((permission) => {
        const isOffered = offered.includes(permission);
        return (
          <Checkbox
            key={permission}
            id={`${id}-${permission}`}
            label={permission}
            description={isOffered ? t(`permission.${permission}`) : t("permission.notYours")}
            isDisabled={!isOffered}
            isChecked={chosen.includes(permission)}
            onChange={(_event, checked) =>
              onChange(checked ? [...chosen, permission] : chosen.filter((one) => one !== permission))
            }
          />
        );
      })}
    </fieldset>
  );
}
