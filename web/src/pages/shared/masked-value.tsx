import { useState } from "preact/hooks";
import type { ControlProps } from "../../ui";
import { Button, Field } from "../../ui";

/** A value of several lines, dots until it is asked to be seen. */
export function MaskedValue(props: { label: string; value: string; hint?: string; error?: string | undefined; onValue: (value: string) => void; testid?: string }) {
  const [seen, setSeen] = useState(false);
  return (
    <Field label={props.label} hint={props.hint} error={props.error}>
      {(control: ControlProps) => (
        <>
          <textarea
            {...control}
            class={seen ? "mono value-area" : "mono value-area masked"}
            rows={3}
            value={props.value}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            data-testid={props.testid}
            onInput={(event) => props.onValue(event.currentTarget.value)}
          />
          <div class="value-tools">
            <Button kind="quiet" pressed={seen} onClick={() => setSeen(!seen)}>
              {seen ? "Hide" : "Show"}
            </Button>
          </div>
        </>
      )}
    </Field>
  );
}
