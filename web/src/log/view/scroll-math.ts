/**
 * Arithmetic of the scroll bar: it stands for sequence numbers, never for pixels, so that it is right for a
 * million lines of which a few hundred have ever been laid out.
 */
import type { Extent } from "../model";

export const THUMB_MIN = 28;

export interface Thumb {
  top: number;
  height: number;
}

/** What of the log is in sight, in (fractional) sequence numbers. */
export interface InSight {
  top: number;
  bottom: number;
  atStart: boolean;
  atEnd: boolean;
}

const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high);

export function lineCount(extent: Extent): number {
  return Math.max(0, extent.last - extent.first + 1);
}

/** Where the thumb stands on a track of `track` pixels; null when everything is in sight. */
export function thumbOf(extent: Extent, sight: InSight, track: number): Thumb | null {
  const total = lineCount(extent);
  if (total === 0 || track <= 0 || (sight.atStart && sight.atEnd)) return null;
  const visible = clamp(sight.bottom - sight.top, 1, total);
  const height = clamp((track * visible) / total, Math.min(THUMB_MIN, track), track);
  const room = track - height;
  if (sight.atEnd) return { top: room, height };
  if (sight.atStart) return { top: 0, height };
  const range = Math.max(1, total - visible);
  return { top: room * clamp((sight.top - extent.first) / range, 0, 1), height };
}

/** The sequence number that comes to the top when the thumb is dragged to `top`; "end" at the very end. */
export function seqAtThumb(extent: Extent, sight: InSight, track: number, top: number): number | "end" {
  const thumb = thumbOf(extent, sight, track);
  if (!thumb) return extent.first;
  const room = track - thumb.height;
  if (room <= 0 || top >= room - 0.5) return "end";
  const visible = clamp(sight.bottom - sight.top, 1, lineCount(extent));
  const range = Math.max(1, lineCount(extent) - visible);
  return Math.round(extent.first + range * clamp(top / room, 0, 1));
}

/** Where a line stands on the track, for a mark beside the thumb. */
export function markAt(extent: Extent, seq: number, track: number): number {
  const total = lineCount(extent);
  return total <= 1 ? 0 : (track * clamp(seq - extent.first, 0, total - 1)) / total;
}

/**
 * The line to ask for when one has scrolled past what is laid out, faster than lines came: as many lines further
 * as rows of the mean height would have filled the void.
 */
export function seqBeyond(edgeSeq: number, pixels: number, meanHeight: number, extent: Extent): number {
  const lines = Math.round(pixels / Math.max(1, meanHeight));
  return clamp(edgeSeq + lines, extent.first, Math.max(extent.first, extent.last));
}
