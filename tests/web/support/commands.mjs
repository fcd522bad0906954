// Commands whose output the tests know. They run as an ordinary user, in sh.
export const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** `count` lines "PREFIX 1" …, as fast as they are read. */
export const numbered = (count, prefix = "line") => `seq -f ${quote(`${prefix} %.0f`)} ${count}`;

/** The same at an even pace: a few lines every 10 ms. */
export function paced(count, perSecond, prefix = "line") {
  const program = [
    "import sys, time",
    "count, rate, prefix = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]",
    "begin, n = time.monotonic(), 0",
    "while n < count:",
    "    due = min(count, int((time.monotonic() - begin) * rate) + 1)",
    "    sys.stdout.write(''.join(f'{prefix} {i}\\n' for i in range(n + 1, due + 1)))",
    "    sys.stdout.flush()",
    "    n = due",
    "    time.sleep(0.01)",
  ].join("\n");
  return `exec python3 -c ${quote(program)} ${count} ${perSecond} ${quote(prefix)}`;
}

/** These very bytes. */
export const bytes = (buffer) => `echo ${Buffer.from(buffer).toString("base64")} | base64 -d`;

export const printed = (...lines) => bytes(`${lines.join("\n")}\n`);
