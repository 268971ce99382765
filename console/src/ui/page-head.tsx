import { Content, Title } from "@patternfly/react-core";
import { type ReactNode, useEffect } from "react";

interface Props {
  readonly title: string;
  readonly sub?: ReactNode;
  readonly badges?: ReactNode;
  readonly actions?: ReactNode;
  readonly above?: ReactNode;
}

/** One h1 a page; the browser's tab says the same. */
export function PageHead({ title, sub, badges, actions, above }: Props): ReactNode {
  useEffect(() => {
    document.title = `${title} · Holdfast`;
  }, [title]);
  return (
    <header className="hf-head">
      {above === undefined ? null : <div className="hf-head-above">{above}</div>}
      <div className="hf-head-row">
        <div className="hf-head-title">
          <Title headingLevel="h1" size="xl">
            {title}
          </Title>
          {badges}
        </div>
        {actions === undefined ? null : <div className="hf-head-actions">{actions}</div>}
      </div>
      {sub === undefined ? null : (
        <Content component="p" className="hf-quiet hf-head-sub">
          {sub}
        </Content>
      )}
    </header>
  );
}

export function PageBody({ children }: { readonly children: ReactNode }): ReactNode {
  return <div className="hf-body">{children}</div>;
}
