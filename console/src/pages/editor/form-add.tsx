import { err } from "@holdfast/core/base/result.ts";
import { formatPath, type Path } from "@holdfast/core/policy/path.ts";
import { helpAt } from "@holdfast/core/policy/schema-outline.ts";
import { Button } from "@patternfly/react-core";
import { type ReactNode, useId, useState } from "react";
import { addSetting, editField, isWritten, newValue } from "../../editor/form-fields.ts";
import { useT } from "../../i18n/language.ts";
import { type Hands, LineInput } from "./form-line.tsx";

/** Settings that may be written besides; one that needs a value gets a line first, and is written when that is typed. */
export function AddSetting({
  path,
  absent,
  hands,
}: {
  readonly path: Path;
  readonly absent: readonly string[];
  readonly hands: Hands;
}): ReactNode {
  const t = useT();
  const id = useId();
  const [opened, setOpened] = useState<string | null>(null);
  if (absent.length === 0) return null;
  const choose = (key: string): void => {
    const value = newValue(hands.schema, [...path, key]);
    if (value === null) setOpened(key);
    else hands.edit(addSetting(hands.text, [...path, key], value));
  };
  return (
    <div className="hf-form-add">
      {opened === null || !absent.includes(opened) ? null : (
        <div className="hf-form-line">
          <label htmlFor={`${id}-new`}>{opened}</label>
          <LineInput
            id={`${id}-new`}
            shown=""
            example={helpAt(hands.schema, [...path, opened]).example}
            disabled={hands.disabled}
            onCommit={(text) => {
              const edited = editField(hands.text, hands.schema, [...path, opened], { kind: "line", text });
              const went = hands.edit(edited);
              if (went) setOpened(null);
              return went;
            }}
          />
          <span className="hf-quiet hf-small hf-form-help">
            {helpAt(hands.schema, [...path, opened]).description ?? ""}
          </span>
        </div>
      )}
      <select
        className="hf-cell hf-short-select"
        aria-label={t("form.addTo", { name: path.length === 0 ? t("form.document") : formatPath(path) })}
        disabled={hands.disabled}
        value=""
        onChange={(event) => choose(event.target.value)}
      >
        <option value="">{t("form.add")}</option>
        {absent.map((key) => (
          <option key={key} value={key}>
            {key}
          </option>
        ))}
      </select>
    </div>
  );
}

export function AddNamed({ path, hands }: { readonly path: Path; readonly hands: Hands }): ReactNode {
  const t = useT();
  const [name, setName] = useState("");
  const [isOpen, setOpen] = useState(false);
  const needsValue = newValue(hands.schema, [...path, "x"]) === null;
  const add = (): void => {
    // A plain value is typed behind its name: `net.core.somaxconn 4096`.
    const [key = "", ...rest] = needsValue ? name.trim().split(/[\s=]+/) : [name.trim()];
    if (key === "" || (needsValue && rest.length === 0)) return;
    const at = [...path, key];
    const value = newValue(hands.schema, at);
    const edited = isWritten(hands.text, at)
      ? err(t("form.taken", { name: formatPath(at) }))
      : value === null
        ? editField(hands.text, hands.schema, at, { kind: "line", text: rest.join(" ") })
        : addSetting(hands.text, at, value);
    if (!hands.edit(edited)) return;
    setName("");
    setOpen(false);
  };
  if (!isOpen) return <AddButton hands={hands} path={path} onPress={() => setOpen(true)} />;
  return (
    <div className="hf-line-row">
      <input
        className="hf-cell"
        aria-label={t("form.nameOf", { name: formatPath(path) })}
        placeholder={t(needsValue ? "form.nameAndValue" : "form.name")}
        value={name}
        spellCheck={false}
        onChange={(event) => setName(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") add();
          if (event.key === "Escape") setOpen(false);
        }}
      />
      <Button size="sm" variant="secondary" onClick={add}>
        {t("form.put")}
      </Button>
    </div>
  );
}

export function AddButton({
  hands,
  path,
  onPress,
}: {
  readonly hands: Hands;
  readonly path: Path;
  readonly onPress: () => void;
}): ReactNode {
  const t = useT();
  return (
    <div>
      <Button
        size="sm"
        variant="link"
        isInline
        isDisabled={hands.disabled}
        aria-label={`${t("form.addOne")} ${formatPath(path)}`}
        onClick={onPress}
      >
        {t("form.addOne")}
      </Button>
    </div>
  );
}
