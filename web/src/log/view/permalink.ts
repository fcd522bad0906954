/** Permalinks: `#L120` is a line, `#L120-L130` a range, both of sequence numbers. */

export interface LineRange {
  from: number;
  to: number;
}

const SEQ_MAX = Number.MAX_SAFE_INTEGER;

function seqOf(digits: string): number | null {
  const seq = Number(digits);
  return Number.isInteger(seq) && seq >= 1 && seq <= SEQ_MAX ? seq : null;
}

/** The range that an address's fragment names; null when it names none. */
export function parsePermalink(hash: string): LineRange | null {
  const found = /^#?L(\d{1,16})(?:-L?(\d{1,16}))?$/.exec(hash);
  if (!found || found[1] === undefined) return null;
  const from = seqOf(found[1]);
  const to = found[2] === undefined ? from : seqOf(found[2]);
  if (from === null || to === null) return null;
  return from <= to ? { from, to } : { from: to, to: from };
}

export function formatPermalink(range: LineRange): string {
  return range.from === range.to ? `#L${range.from}` : `#L${range.from}-L${range.to}`;
}

/** What a click on a line's number selects: the line, or with shift all from the line that was clicked before. */
export function clickedRange(origin: number | null, seq: number, lastSeq: number, shift: boolean): LineRange {
  if (!shift || origin === null) return { from: seq, to: seq };
  return origin <= seq ? { from: origin, to: lastSeq } : { from: seq, to: origin };
}

export function inRange(range: LineRange | null, seq: number, lastSeq: number): boolean {
  return range !== null && seq <= range.to && lastSeq >= range.from;
}
