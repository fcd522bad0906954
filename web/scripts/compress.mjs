// node scripts/compress.mjs FOLDER: writes X.gz beside each file X that gets smaller by it.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const folder = process.argv[2] ?? "dist";
for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || entry.name.endsWith(".gz")) continue;
  const file = join(entry.parentPath ?? entry.path, entry.name);
  const raw = readFileSync(file);
  const packed = gzipSync(raw, { level: 9 });
  if (packed.length < raw.length * 0.9) writeFileSync(`${file}.gz`, packed);
}
