import type { ComponentChildren, JSX } from "preact";
import { useId } from "preact/hooks";

/** What ties a control to its label, hint and error. */
export interface ControlProps {
  id: string;
  "aria-describedby"?: string;
  "aria-invalid"?: boolean;
}

export interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  error?: string | null | undefined;
  /** Gets what ties the control to its label: spread it on the control. */
  children: (control: ControlProps) => ComponentChildren;
}

export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const described = [hint ? `${id}-hint` : "", error ? `${id}-error` : ""].filter(Boolean).join(" ");
  const control: ControlProps = { id };
  if (described) control["aria-describedby"] = described;
  if (error) control["aria-invalid"] = true;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {children(control)}
      {hint ? (
        <div class="field-hint" id={`${id}-hint`}>
          {hint}
        </div>
      ) : null}
      {error ? (
        <div class="field-error" id={`${id}-error`} role="alert">
          {error}
        </div>
      ) : null}
    </div>
  );
}

type InputAttributes = Omit<JSX.InputHTMLAttributes<HTMLInputElement>, "value" | "onInput">;

/** A labelled line of text. */
export function TextField(
  props: InputAttributes & {
    label: string;
    value: string;
    onValue: (value: string) => void;
    hint?: ComponentChildren;
    error?: string | null | undefined;
    testid?: string;
  },
) {
  const { label, hint, error, value, onValue, testid, ...rest } = props;
  return (
    <Field label={label} hint={hint} error={error}>
      {(control) => (
        <input type="text" {...rest} {...control} value={value} data-testid={testid} onInput={(event) => onValue(event.currentTarget.value)} />
      )}
    </Field>
  );
}
