import type { ControlProps } from "./field";

export interface SelectProps<T extends string> {
  value: T;
  options: readonly { value: T; label: string }[];
  onValue: (value: T) => void;
  /** From Field; or a label of its own. */
  control?: ControlProps;
  label?: string;
  testid?: string;
}

export function Select<T extends string>(props: SelectProps<T>) {
  return (
    <select
      {...props.control}
      class="select"
      aria-label={props.label}
      data-testid={props.testid}
      value={props.value}
      onChange={(event) => {
        const found = props.options.find((option) => option.value === event.currentTarget.value);
        if (found) props.onValue(found.value);
      }}
    >
      {props.options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
}
