import { Button, type ButtonProps, Tooltip } from "@patternfly/react-core";
import { type ReactNode, useId } from "react";

interface Props extends Omit<ButtonProps, "isDisabled" | "isAriaDisabled"> {
  /** Why it cannot be pressed, in words; null when it can. There is no other way to disable it. */
  readonly reason: string | null;
}

/** Disabled, never hidden; the reason is shown on hover and focus and read out. */
export function ReasonButton({ reason, children, onClick, ...rest }: Props): ReactNode {
  const id = useId();
  if (reason === null) {
    return (
      <Button {...rest} {...(onClick === undefined ? {} : { onClick })}>
        {children}
      </Button>
    );
  }
  return (
    <Tooltip content={reason} aria="none">
      <Button {...rest} isAriaDisabled aria-describedby={id}>
        {children}
        <span id={id} className="hf-sr">
          {reason}
        </span>
      </Button>
    </Tooltip>
  );
}
