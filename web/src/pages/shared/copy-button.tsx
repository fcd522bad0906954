import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "../../ui";

/** The clipboard's API is there on https and localhost only: elsewhere the old way. */
async function copy(text: string, near: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "sr-only";
    near.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

export function CopyButton({ text, label = "Copy", testid }: { text: string; label?: string; testid?: string }) {
  const [said, say] = useState("");
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!said) return undefined;
    const timer = setTimeout(() => say(""), 2000);
    return () => clearTimeout(timer);
  }, [said]);
  const onClick = async (): Promise<void> => {
    if (place.current) say((await copy(text, place.current)) ? "Copied" : "Could not be copied: select it");
  };
  return (
    <span ref={place}>
      <Button onClick={() => void onClick()} {...(testid ? { testid } : {})}>
        {said || label}
      </Button>
      <span class="sr-only" role="status">
        {said}
      </span>
    </span>
  );
}
