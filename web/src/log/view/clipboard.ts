/** Puts text on the clipboard, also text that is still to come, also on pages that are not served over TLS. */

/** The way of old browsers and of plain http: the browser's own copy command, its data given here. */
function copyByCommand(text: string): boolean {
  let done = false;
  const give = (event: ClipboardEvent): void => {
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
    event.stopImmediatePropagation();
    done = true;
  };
  document.addEventListener("copy", give, { capture: true, once: true });
  document.execCommand("copy");
  document.removeEventListener("copy", give, { capture: true });
  return done;
}

/** Rejects when the browser does not let it. Answers with the text that was copied. */
export async function copyText(text: Promise<string>): Promise<string> {
  const blob = text.then((ready) => new Blob([ready], { type: "text/plain" }));
  blob.catch(() => undefined);
  if (typeof ClipboardItem === "function" && typeof navigator.clipboard?.write === "function") {
    try {
      await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
      return await text;
    } catch {
      // Not allowed, or no text to come: the second is told apart below.
    }
  }
  const ready = await text;
  if (!copyByCommand(ready)) throw new Error("the browser did not allow to copy; press the button again");
  return ready;
}
