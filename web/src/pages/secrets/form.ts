// What is wrong with a secret before the server is asked; it has the last word.
import type { SecretInput } from "../../api/resources";
import { isVariableName } from "../run/env";

export const secretFields = ["name", "key_name", "description", "value"] as const;

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const VALUE_MAX = 65_536;

export function validateSecret(secret: SecretInput, isNew: boolean): Record<string, string> {
  const wrong: Record<string, string> = {};
  if (isNew && !NAME.test(secret.name)) wrong["name"] = "Letters, digits, '.', '_' and '-', with a letter or digit first";
  if (!isVariableName(secret.key_name)) wrong["key_name"] = "Letters, digits and '_', no digit first";
  if (isNew && secret.value === "") wrong["value"] = "A value is needed";
  else if (new TextEncoder().encode(secret.value).length > VALUE_MAX) wrong["value"] = `At most ${VALUE_MAX} bytes`;
  return wrong;
}

/** What changed; a value that was left empty stays what it is. */
export function changesOf(old: { key_name: string; description?: string }, now: SecretInput): Partial<SecretInput> {
  const change: Partial<SecretInput> = {};
  if (now.key_name !== old.key_name) change.key_name = now.key_name;
  if (now.description !== (old.description ?? "")) change.description = now.description;
  if (now.value !== "") change.value = now.value;
  return change;
}

/** "db-password" → "DB_PASSWORD": the variable that is meant most often. */
export const suggestedKeyName = (name: string): string => name.toUpperCase().replace(/[^A-Z0-9]+/g, "_").replace(/^(\d)/, "_$1");
