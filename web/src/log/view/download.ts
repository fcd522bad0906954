/**
 * The raw log as a file. Where the browser can write to a file that was chosen, bytes go there as they come and
 * none is kept; else they become a blob, which browsers keep on disk once it is large.
 */
import { raw } from "../../api/client";

interface SaveHandle {
  createWritable(): Promise<WritableStream<Uint8Array>>;
}

interface SavePicker {
  showSaveFilePicker?: (options: { suggestedName: string; types: { description: string; accept: Record<string, string[]> }[] }) => Promise<SaveHandle>;
}

const LATER_MS = 60_000;

export function fileName(id: string): string {
  return `${id}.log.txt`;
}

async function choose(name: string): Promise<SaveHandle | null> {
  const picker = (window as unknown as SavePicker).showSaveFilePicker;
  if (!picker) return null;
  return picker.call(window, { suggestedName: name, types: [{ description: "Log", accept: { "text/plain": [".txt", ".log"] } }] });
}

function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), LATER_MS);
}

/** False: the person closed the file dialog. */
export async function downloadLog(id: string): Promise<boolean> {
  let handle: SaveHandle | null;
  try {
    handle = await choose(fileName(id));
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return false;
    handle = null;
  }
  const response = await raw("GET", `/executions/${encodeURIComponent(id)}/logs.txt`, undefined);
  if (handle && response.body) await response.body.pipeTo(await handle.createWritable());
  else save(await response.blob(), fileName(id));
  return true;
}
