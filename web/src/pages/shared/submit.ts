// Sending a form: one call at a time, the server's complaint at the field that it names.
import { useState } from "preact/hooks";
import { ApiError } from "../../api/client";

export type FieldErrors = Readonly<Record<string, string>>;

/**
 * The server's details begin with the name of the field ("timeout must be …", "env: the name …").
 * `also` names words that stand for a field ("secret" for `secrets`).
 */
export function fieldOfError(error: unknown, fields: readonly string[], also: Readonly<Record<string, string>> = {}): string | null {
  if (!(error instanceof ApiError)) return null;
  const word = /^[a-z_]+/.exec(error.details)?.[0];
  if (!word) return null;
  if (fields.includes(word)) return word;
  return Object.hasOwn(also, word) ? (also[word] ?? null) : null;
}

/** What a failed call says, with when to come back. */
export function errorText(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  const text = error.details || error.error;
  return error.retryAfter === null ? text : `${text} (try again in ${error.retryAfter} s)`;
}

export interface Submission {
  busy: boolean;
  /** Of a field, by its name. */
  errors: FieldErrors;
  /** Of no field. */
  failure: unknown;
  run: (check: () => FieldErrors, send: () => Promise<void>) => Promise<boolean>;
}

export function useSubmit(fields: readonly string[], also: Readonly<Record<string, string>> = {}): Submission {
  const [busy, setBusy] = useState(false);
  const [errors, setErrors] = useState<FieldErrors>({});
  const [failure, setFailure] = useState<unknown>(null);
  const run = async (check: () => FieldErrors, send: () => Promise<void>): Promise<boolean> => {
    if (busy) return false;
    const wrong = check();
    setErrors(wrong);
    setFailure(null);
    if (Object.keys(wrong).length > 0) {
      focusFirstInvalid();
      return false;
    }
    setBusy(true);
    try {
      await send();
      return true;
    } catch (error) {
      const field = fieldOfError(error, fields, also);
      if (field) setErrors({ [field]: errorText(error) });
      else setFailure(error);
      focusFirstInvalid();
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, errors, failure, run };
}

/** Once it is rendered: whoever uses the keyboard goes on where it is wrong. */
function focusFirstInvalid(): void {
  setTimeout(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
}
