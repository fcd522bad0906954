// A part of a reconcile's report as rows: counts and yes or no first, then lists that hold something.
export interface PartRow {
  label: string;
  text: string;
  names: string[];
}

const label = (field: string): string => {
  const words = field.replace(/_count$/, "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

export function partRows(part: Record<string, unknown>): PartRow[] {
  const rows: PartRow[] = [];
  const lists: PartRow[] = [];
  for (const [field, value] of Object.entries(part)) {
    if (Array.isArray(value)) {
      if (value.length > 0) lists.push({ label: label(field), text: "", names: value.map(String) });
    } else if (typeof value === "boolean") {
      rows.push({ label: label(field), text: value ? "yes" : "no", names: [] });
    } else if (typeof value === "number") {
      rows.push({ label: label(field), text: String(value), names: [] });
    }
  }
  return [...rows, ...lists];
}
