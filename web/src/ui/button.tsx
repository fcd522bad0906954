import type { ComponentChildren } from "preact";

export interface ButtonProps {
  children: ComponentChildren;
  onClick?: (event: MouseEvent) => void;
  kind?: "plain" | "primary" | "danger" | "quiet";
  type?: "button" | "submit";
  /** Something is under way: the button waits and says so. */
  busy?: boolean;
  disabled?: boolean;
  autofocus?: boolean;
  pressed?: boolean;
  title?: string;
  label?: string;
  testid?: string;
}

export function Button(props: ButtonProps) {
  return (
    <button
      type={props.type ?? "button"}
      class={`button button-${props.kind ?? "plain"}`}
      disabled={props.disabled || props.busy}
      aria-busy={props.busy || undefined}
      aria-pressed={props.pressed}
      aria-label={props.label}
      title={props.title}
      autofocus={props.autofocus}
      data-testid={props.testid}
      onClick={props.onClick}
    >
      {props.children}
    </button>
  );
}
