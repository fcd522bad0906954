/**
 * Plain text of a range of lines for copying: what is seen, without colours and numbers. Escape and
 * control characters stay pictures, so that nothing happens in the terminal it is pasted into.
 */
import type { Api } from "./api";
import { fetchRange, type Numbered } from "./fetcher";
import { plainText } from "./line";
import { PAGE_SIZE, pageOf } from "./page";
import { LineParser } from "./parser";
import { EXPANDED_MAX } from "./lines";
import type { Store } from "./store";

export const TEXT_MAX = 10_000_000;

interface Going {
  parser: LineParser;
  place: number;
}

export class TextTooLong extends Error {
  override name = "TextTooLong";
  constructor() {
    super("the selection is longer than 10 MB: download the log instead");
  }
}

/** Records [from, to] that are in the window, or fetched and not kept. */
async function records(store: Store, api: Api, execution: string, from: number, to: number): Promise<Numbered[]> {
  const page = store.page(pageOf(from));
  if (!page || page.firstMissing(Math.max(from, store.extent.first), to) !== 0) {
    const out: Numbered[] = [];
    for (let at = from; at <= to; ) {
      const fetched = await fetchRange(api, execution, at, to);
      out.push(...fetched.records);
      if (fetched.range[1] < at) break;
      at = fetched.range[1] + 1;
    }
    return out;
  }
  const out: Numbered[] = [];
  for (let seq = from; seq <= to; seq++) {
    if (!page.has(seq)) continue;
    const record = [page.time(seq), page.stream(seq), page.text(seq)] as const;
    out.push({ seq, record: page.isPart(seq) ? [...record, 1] : record });
  }
  return out;
}

/** Lines that begin with a record in [from, to]; parts behind it are joined up to the next page's end. */
export async function textOf(store: Store, api: Api, execution: string, from: number, to: number): Promise<string> {
  const lines: string[] = [];
  const going = new Map<string, Going>();
  let size = 0;
  const finish = (stream: string, { parser, place }: Going): void => {
    const text = plainText(parser.runs());
    size += text.length + 1;
    if (size > TEXT_MAX) throw new TextTooLong();
    lines[place] = text;
    going.delete(stream);
  };
  const last = Math.min(store.extent.last, to + PAGE_SIZE);
  for (let at = Math.max(1, from); at <= last && (at <= to || going.size > 0); ) {
    const end = Math.min(last, (pageOf(at) + 1) * PAGE_SIZE);
    for (const { seq, record } of await records(store, api, execution, at, end)) {
      const [, stream, text, part] = record;
      let line = going.get(stream);
      if (!line) {
        if (seq > to) continue;
        line = { parser: new LineParser(EXPANDED_MAX), place: lines.push("") - 1 };
        going.set(stream, line);
      }
      line.parser.feed(text);
      if (part !== 1) finish(stream, line);
    }
    at = end + 1;
  }
  for (const [stream, line] of going) finish(stream, line);
  return lines.join("\n");
}
