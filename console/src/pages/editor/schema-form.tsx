import type { Result } from "@holdfast/core/base/result.ts";
import { formatPath, type Path } from "@holdfast/core/policy/path.ts";
import { helpAt, type Outline } from "@holdfast/core/policy/schema-outline.ts";
import { Alert, Button } from "@patternfly/react-core";
import TrashIcon from "@patternfly/react-icons/dist/esm/icons/trash-icon";
import { type ReactNode, useId, useState } from "react";
import {
  addItem,
  addSetting,
  editField,
  type Field,
  fieldAt,
  isReadable,
  lineKind,
  newValue,
} from "../../editor/form-fields.ts";
import { useT } from "../../i18n/language.ts";
import type { FindingLike } from "../../parts/finding-key.ts";
import { FindingList } from "../../parts/findings.tsx";

interface Props {
  readonly text: string;
  readonly schema: Outline;
  /** The part of the document that the form is for; empty for all of it. */
  readonly root: Path;
  readonly findings: readonly FindingLike[];
  readonly onChange: (text: string) => void;
  readonly onGo: (finding: FindingLike) => void;
  readonly disabled: boolean;
}

interface Hands extends Omit<Props, "root"> {
  readonly edit: (edited: Result<string, string>) => void;
}

/** A part of a document as a form that agrees with its text. */
export function SchemaForm(props: Props): ReactNode {
  const t = useT();
  const { text, schema, root, onChange } = props;
  const [refusal, setRefusal] = useState<string | null>(null);
  const edit = (edited: Result<string, string>): void => {
    setRefusal(edited.ok ? null : edited.error);
    if (edited.ok) onChange(edited.value);
  };
  if (!isReadable(text)) return <Alert isInline variant="warning" title={t("form.unreadable")} />;
  const whole = fieldAt(text, schema, root);
  return (
    <div className="hf-stack hf-form">
      {refusal === null ? null : (
        <Alert isInline variant="danger" title={t("rules.refused")}>
          {refusal}
        </Alert>
      )}
      {whole === null ? (
        <div>
          <p className="hf-quiet">{t("form.notOurs", { section: formatPath(root) })}</p>
          <Button
            size="sm"
            variant="secondary"
            isDisabled={props.disabled}
            onClick={() => edit(addSetting(text, root, {}))}
          >
            {t("form.begin", { section: formatPath(root) })}
          </Button>
        </div>
      ) : (
        <Body field={whole} depth={0} hands={{ ...props, edit }} />
      )}
    </div>
  );
}

interface FieldProps {
  readonly field: Field;
  readonly depth: number;
  readonly hands: Hands;
}

/** What is inside a group, a list or a map of names. */
function Body({ field, depth, hands }: FieldProps): ReactNode {
  const { shape, path } = field;
  switch (shape.kind) {
    case "group": {
      const lines = shape.fields.filter((one) => isLine(one));
      const parts = shape.fields.filter((one) => !isLine(one));
      return (
        <>
          {lines.length === 0 ? null : (
            <div className="hf-form-lines">
              {lines.map((one) => (
                <Line key={one.key} field={one} depth={depth} hands={hands} />
              ))}
            </div>
          )}
          {parts.map((one) => (
            <Part key={one.key} field={one} depth={depth} hands={hands} />
          ))}
          <AddSetting path={path} absent={shape.absent} hands={hands} />
        </>
      );
    }
    case "named": {
      const lines = shape.entries.filter((one) => isLine(one));
      const parts = shape.entries.filter((one) => !isLine(one));
      return (
        <>
          {lines.length === 0 ? null : (
            <div className="hf-form-lines">
              {lines.map((one) => (
                <Line key={one.key} field={one} depth={depth} hands={hands} />
              ))}
            </div>
          )}
          {parts.map((one) => (
            <Part key={one.key} field={one} depth={depth} hands={hands} />
          ))}
          <AddNamed path={path} hands={hands} />
        </>
      );
    }
    case "list":
      return (
        <>
          {shape.items.map((one, index) => (
            <Part key={index} field={{ ...one, key: String(index + 1) }} depth={depth} hands={hands} />
          ))}
          <AddButton
            hands={hands}
            path={path}
            onPress={() => hands.edit(addItem(hands.text, path, shape.items.length))}
          />
        </>
      );
    case "inText":
    case "line":
    case "choice":
    case "switch":
      return <Line field={field} depth={depth} hands={hands} />;
  }
}

function isLine({ shape }: Field): boolean {
  return shape.kind === "line" || shape.kind === "choice" || shape.kind === "switch" || shape.kind === "inText";
}

/** Deeper parts are indented only so far: a narrow screen has no room for more. */
const DEEPEST_HEADING = 3;

function Part({ field, depth, hands }: FieldProps): ReactNode {
  const t = useT();
  const Heading = `h${Math.min(depth, DEEPEST_HEADING) + 3}` as "h3" | "h4" | "h5" | "h6";
  return (
    <section className="hf-form-part" data-depth={Math.min(depth, DEEPEST_HEADING)} aria-label={formatPath(field.path)}>
      <div className="hf-line-row">
        <Heading className="hf-form-title">{field.key}</Heading>
        {field.description === null ? null : <span className="hf-quiet hf-small">{field.description}</span>}
        <RemoveButton field={field} hands={hands} />
      </div>
      <Own field={field} hands={hands} />
      {isEmpty(field) ? <p className="hf-quiet hf-small">{t("form.empty")}</p> : null}
      <Body field={field} depth={depth + 1} hands={hands} />
    </section>
  );
}

function isEmpty({ shape }: Field): boolean {
  return (
    (shape.kind === "group" && shape.fields.length === 0) ||
    (shape.kind === "named" && shape.entries.length === 0) ||
    (shape.kind === "list" && shape.items.length === 0)
  );
}

function RemoveButton({ field, hands }: { readonly field: Field; readonly hands: Hands }): ReactNode {
  const t = useT();
  return (
    <Button
      variant="plain"
      size="sm"
      hasNoPadding
      icon={<TrashIcon />}
      isDisabled={hands.disabled}
      aria-label={t("form.remove", { name: formatPath(field.path) })}
      onClick={() => hands.edit(editField(hands.text, field.path, { kind: "remove" }))}
    />
  );
}

/** Findings at this very place; those of what is inside stand there. */
function Own({ field, hands }: { readonly field: Field; readonly hands: Hands }): ReactNode {
  const path = formatPath(field.path);
  const isLeaf = isLine(field);
  const own = hands.findings.filter(
    (finding) =>
      finding.path === path || (isLeaf && (finding.path.startsWith(`${path}[`) || finding.path.startsWith(`${path}.`))),
  );
  return own.length === 0 ? null : <FindingList findings={own} onGo={hands.onGo} />;
}

function Line({ field, hands }: FieldProps): ReactNode {
  const id = useId();
  const { key, description } = field;
  return (
    <div className="hf-form-line">
      <label htmlFor={id} title={description ?? undefined}>
        {key}
      </label>
      <div className="hf-form-value">
        <Control id={id} field={field} hands={hands} />
        <RemoveButton field={field} hands={hands} />
      </div>
      <Own field={field} hands={hands} />
    </div>
  );
}

function Control({
  id,
  field: { shape, path, example },
  hands,
}: {
  readonly id: string;
  readonly field: Field;
  readonly hands: Hands;
}): ReactNode {
  const t = useT();
  switch (shape.kind) {
    case "switch":
      return (
        <select
          id={id}
          className="hf-cell"
          disabled={hands.disabled}
          value={String(shape.on)}
          onChange={(event) =>
            hands.edit(editField(hands.text, path, { kind: "switch", on: event.target.value === "true" }))
          }
        >
          <option value="true">{t("form.true")}</option>
          <option value="false">{t("form.false")}</option>
        </select>
      );
    case "choice":
      return (
        <select
          id={id}
          className="hf-cell"
          disabled={hands.disabled}
          value={shape.value}
          onChange={(event) => hands.edit(editField(hands.text, path, { kind: "choice", value: event.target.value }))}
        >
          {shape.choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      );
    case "line":
      return (
        <LineInput
          id={id}
          shown={shape.text}
          example={example}
          disabled={hands.disabled}
          onCommit={(text) => hands.edit(editField(hands.text, path, { kind: "line", text, of: shape.of }))}
        />
      );
    case "inText":
    case "group":
    case "named":
    case "list":
      return (
        <code id={id} className="hf-quiet" title={t("rules.inText")}>
          {shape.kind === "inText" ? shape.text : ""}
        </code>
      );
  }
}

interface LineInputProps {
  readonly id: string;
  readonly shown: string;
  /** Seen where nothing is typed. */
  readonly example: string | null;
  readonly disabled: boolean;
  readonly onCommit: (text: string) => void;
}

/** Written to the document when left or on Enter; Escape puts back what was there. */
function LineInput({ id, shown, example, disabled, onCommit }: LineInputProps): ReactNode {
  const t = useT();
  const [typed, setTyped] = useState<string | null>(null);
  const commit = (): void => {
    if (typed !== null && typed !== shown) onCommit(typed);
    setTyped(null);
  };
  return (
    <input
      id={id}
      className="hf-cell"
      value={typed ?? shown}
      placeholder={example === null ? undefined : t("form.example", { example })}
      disabled={disabled}
      spellCheck={false}
      onChange={(event) => setTyped(event.target.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === "Enter") commit();
        if (event.key === "Escape") setTyped(null);
      }}
    />
  );
}

/** Settings that may be written besides; one that needs a value gets a line first, and is written when that is typed. */
function AddSetting({
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
              const at = [...path, opened];
              hands.edit(editField(hands.text, at, { kind: "line", text, of: lineKind(hands.schema, at) }));
              setOpened(null);
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

function AddNamed({ path, hands }: { readonly path: Path; readonly hands: Hands }): ReactNode {
  const t = useT();
  const [name, setName] = useState("");
  const [isOpen, setOpen] = useState(false);
  const at = [...path, name.trim()];
  const add = (): void => {
    if (name.trim() === "") return;
    const value = newValue(hands.schema, at);
    // A plain value is typed behind its name: `net.core.somaxconn 4096`.
    const [key = "", ...rest] = name.trim().split(/[\s=]+/);
    if (value !== null) hands.edit(addSetting(hands.text, at, value));
    else if (rest.length > 0)
      hands.edit(
        editField(hands.text, [...path, key], {
          kind: "line",
          text: rest.join(" "),
          of: lineKind(hands.schema, [...path, key]),
        }),
      );
    else return;
    setName("");
    setOpen(false);
  };
  if (!isOpen) return <AddButton hands={hands} path={path} onPress={() => setOpen(true)} />;
  const needsValue = newValue(hands.schema, [...path, "x"]) === null;
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

function AddButton({
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
