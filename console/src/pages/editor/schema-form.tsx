import type { Result } from "@holdfast/core/base/result.ts";
import { formatPath, type Path } from "@holdfast/core/policy/path.ts";
import { Alert, Button } from "@patternfly/react-core";
import TrashIcon from "@patternfly/react-icons/dist/esm/icons/trash-icon";
import { type ReactNode, useId, useState } from "react";
import { addItem, addSetting, editField, type Field, fieldAt, isReadable } from "../../editor/form-fields.ts";
import { useT } from "../../i18n/language.ts";
import { FindingList } from "../../parts/findings.tsx";
import { AddButton, AddNamed, AddSetting } from "./form-add.tsx";
import { type Hands, LineInput, Refusal } from "./form-line.tsx";

interface Props extends Omit<Hands, "edit"> {
  /** The part of the document that the form is for; empty for all of it. */
  readonly root: Path;
  readonly onChange: (text: string) => void;
}

/** A part of a document as a form that agrees with its text. */
export function SchemaForm(props: Props): ReactNode {
  const t = useT();
  const { text, schema, root, onChange } = props;
  const [refusal, setRefusal] = useState<string | null>(null);
  const edit = (edited: Result<string, string>): boolean => {
    setRefusal(edited.ok ? null : edited.error);
    if (edited.ok) onChange(edited.value);
    return edited.ok;
  };
  if (!isReadable(text)) return <Alert component="p" isInline variant="warning" title={t("form.unreadable")} />;
  const whole = fieldAt(text, schema, root);
  return (
    <div className="hf-stack hf-form">
      <Refusal sentence={refusal} />
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
    case "group":
      return (
        <>
          <Written fields={shape.fields} depth={depth} hands={hands} />
          <AddSetting path={path} absent={shape.absent} hands={hands} />
        </>
      );
    case "named":
      return (
        <>
          <Written fields={shape.entries} depth={depth} hands={hands} />
          <AddNamed path={path} hands={hands} />
        </>
      );
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

/** What fits on a line first, then the parts that have a heading of their own. */
function Written({
  fields,
  depth,
  hands,
}: Omit<FieldProps, "field"> & { readonly fields: readonly Field[] }): ReactNode {
  const lines = fields.filter(isLine);
  return (
    <>
      {lines.length === 0 ? null : (
        <div className="hf-form-lines">
          {lines.map((one) => (
            <Line key={one.key} field={one} depth={depth} hands={hands} />
          ))}
        </div>
      )}
      {fields
        .filter((one) => !isLine(one))
        .map((one) => (
          <Part key={one.key} field={one} depth={depth} hands={hands} />
        ))}
    </>
  );
}

function isLine({ shape }: Field): boolean {
  return shape.kind === "line" || shape.kind === "choice" || shape.kind === "switch" || shape.kind === "inText";
}

/** Deeper parts are indented only so far: a narrow screen has no room for more. */
const DEEPEST_HEADING = 3;

function Part({ field, depth, hands }: FieldProps): ReactNode {
  const t = useT();
  const Heading = `h${Math.min(depth, DEEPEST_HEADING) + 2}` as "h2" | "h3" | "h4" | "h5";
  return (
    <section className="hf-form-part" data-depth={Math.min(depth, DEEPEST_HEADING)} aria-label={formatPath(field.path)}>
      <div className="hf-line-row">
        <Heading className="hf-form-title">{field.key}</Heading>
        <RemoveButton field={field} hands={hands} />
        {field.description === null ? null : <span className="hf-quiet hf-small">{field.description}</span>}
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
      onClick={() => hands.edit(editField(hands.text, hands.schema, field.path, { kind: "remove" }))}
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

/** Characters; what is longer does not fit in half a line. */
const LONG = 40;

function Line({ field, hands }: FieldProps): ReactNode {
  const id = useId();
  const { key, description, shape } = field;
  return (
    <div className="hf-form-line" data-long={shape.kind === "line" && shape.text.length > LONG}>
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
            hands.edit(editField(hands.text, hands.schema, path, { kind: "switch", on: event.target.value === "true" }))
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
          onChange={(event) =>
            hands.edit(editField(hands.text, hands.schema, path, { kind: "choice", value: event.target.value }))
          }
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
          onCommit={(text) => hands.edit(editField(hands.text, hands.schema, path, { kind: "line", text }))}
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
