import { SearchInput, ToggleGroup, ToggleGroupItem } from "@patternfly/react-core";
import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { queries } from "../../api/queries.ts";
import { useT } from "../../i18n/language.ts";
import { DocumentLink } from "../../parts/document-link.tsx";
import { NativeText } from "../../parts/native-diff.tsx";
import { CopyText } from "../../ui/copy-text.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { TableHead } from "../../ui/table-head.tsx";

const VIEWS = ["provenance", "native", "json"] as const;
type View = (typeof VIEWS)[number];
/** More rows than a person reads; the filter finds the rest. */
const MOST_ROWS = 300;

/** What this server should have: every item with where it came from and what it beat. */
export function ConfigTab({ name }: { readonly name: string }): ReactNode {
  const t = useT();
  const config = useQuery(queries.serverConfig(name));
  const [view, setView] = useState<View>("provenance");
  const [filter, setFilter] = useState("");
  return (
    <Loaded query={config} what={t("what.config")}>
      {({ digest, provenance, native, config: value }) => {
        const found = provenance.filter(({ item, from }) =>
          `${item} ${from.document} ${from.layer}`.toLowerCase().includes(filter.toLowerCase()),
        );
        return (
          <div className="hf-stack">
            <div className="hf-line-row">
              <ToggleGroup aria-label={t("config.view")}>
                {VIEWS.map((choice) => (
                  <ToggleGroupItem
                    key={choice}
                    text={t(`config.view.${choice}`)}
                    buttonId={`view-${choice}`}
                    isSelected={view === choice}
                    onChange={() => setView(choice)}
                  />
                ))}
              </ToggleGroup>
              {view === "provenance" ? (
                <SearchInput
                  className="hf-search"
                  aria-label={t("config.filter")}
                  placeholder={t("config.filter")}
                  value={filter}
                  onChange={(_event, text) => setFilter(text)}
                  onClear={() => setFilter("")}
                />
              ) : null}
              <span className="hf-quiet">
                {t("config.digest")} <CopyText text={digest} shown={digest.slice(0, 16)} />
              </span>
            </div>
            {view === "native"
              ? Object.entries(native).map(([domain, text]) => <NativeBlock key={domain} domain={domain} text={text} />)
              : null}
            {view === "json" ? (
              <NativeText text={JSON.stringify(value, null, 2)} label={t("config.view.json")} />
            ) : null}
            {view === "provenance" ? (
              <>
                <table className="hf-table">
                  <caption className="hf-sr">{t("config.view.provenance")}</caption>
                  <TableHead columns={["config.item", "config.from", "config.beat"]} />
                  <tbody>
                    {found.slice(0, MOST_ROWS).map(({ item, from, beat }) => (
                      <tr key={item}>
                        <td data-label={t("config.item")}>
                          <code>{item}</code>
                        </td>
                        <td data-label={t("config.from")}>
                          <DocumentLink document={from.document} line={from.line} />{" "}
                          <span className="hf-quiet">
                            {t("config.place", { revision: from.revision, layer: from.layer })}
                          </span>
                        </td>
                        <td data-label={t("config.beat")}>
                          {beat.length === 0 ? <span className="hf-quiet">—</span> : null}
                          {beat.map((loser) => (
                            <div key={`${loser.document} ${loser.value}`}>
                              <s>{loser.value}</s> <DocumentLink document={loser.document} />{" "}
                              <span className="hf-quiet">
                                {t("config.place", { revision: loser.revision, layer: loser.layer })}
                              </span>
                            </div>
                          ))}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
                {found.length > MOST_ROWS ? (
                  <p className="hf-quiet">{t("config.more", { count: found.length - MOST_ROWS })}</p>
                ) : null}
                {provenance.length === 0 ? <p className="hf-quiet">{t("config.none")}</p> : null}
              </>
            ) : null}
          </div>
        );
      }}
    </Loaded>
  );
}

function NativeBlock({ domain, text }: { readonly domain: string; readonly text: string }): ReactNode {
  return (
    <section>
      <h2 className="hf-small-title">{domain}</h2>
      <NativeText text={text} label={domain} />
    </section>
  );
}
