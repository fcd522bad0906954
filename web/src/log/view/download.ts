/**
 * The raw log as a file, by the browser's own download: it goes from the server to the disk, however large, and
 * the page holds nothing of it. Such a download sends no headers, so a ticket that is good once stands for the key.
 */
import { apiUrl, get, takeTicket } from "../../api/client";

export const fileName = (id: string): string => `${id}.log.txt`;

/** Rejects when it may not be read; what goes wrong later is told by the browser's list of downloads. */
export async function downloadLog(id: string): Promise<void> {
  const path = `/executions/${encodeURIComponent(id)}`;
  await get(path);
  const link = document.createElement("a");
  link.href = apiUrl(`${path}/logs.txt`, { ticket: await takeTicket() });
  link.download = fileName(id);
  link.click();
}
