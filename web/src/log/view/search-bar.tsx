import { useLayoutEffect, useRef } from "preact/hooks";
import type { LogController } from "./controller";
import { Icon } from "./icons";
import { searchText } from "./search-control";

function Toggle(props: { on: boolean; label: string; sign: string; testid: string; onToggle: () => void }) {
  return (
    <button type="button" class="tool tool-letter" aria-pressed={props.on} aria-label={props.label} title={props.label} data-testid={props.testid} onClick={props.onToggle}>
      {props.sign}
    </button>
  );
}

export function SearchBar({ log }: { log: LogController }) {
  const input = useRef<HTMLInputElement>(null);
  const { search } = log;
  const query = search.query.value;
  const asked = search.asked.value;
  // Before the next key comes: who types on at once loses no character.
  useLayoutEffect(() => {
    if (asked === 0) return;
    input.current?.focus();
    input.current?.select();
  }, [asked]);
  const note = search.note.value;
  const count = searchText(search.count.value, log.extent.value.last);
  const onKey = (event: KeyboardEvent): void => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    void search.step(!event.shiftKey);
  };
  return (
    <div class="search-bar" role="search" aria-label="Search the log">
      <div class="search-field">
        <Icon name="search" />
        <input
          ref={input}
          type="text"
          data-testid="search-input"
          aria-label="Search the whole log"
          placeholder={query.regex ? "Regular expression" : "Text"}
          value={query.text}
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          maxLength={1024}
          onInput={(event) => search.type({ text: event.currentTarget.value })}
          onKeyDown={onKey}
        />
        <Toggle on={!query.ignoreCase} sign="Aa" label="Match case" testid="search-case" onToggle={() => search.type({ ignoreCase: !query.ignoreCase })} />
        <Toggle on={query.regex} sign=".*" label="Regular expression (PCRE2)" testid="search-regex" onToggle={() => search.type({ regex: !query.regex })} />
      </div>
      <button type="button" class="tool" data-testid="search-previous" aria-label="Previous match" title="Previous match (N)" onClick={() => void search.step(false)}>
        <Icon name="up" />
      </button>
      <button type="button" class="tool" data-testid="search-next" aria-label="Next match" title="Next match (n)" onClick={() => void search.step(true)}>
        <Icon name="down" />
      </button>
      <span class="search-count" data-testid="search-count" role="status">
        {count}
      </span>
      {note !== "" && note !== count ? <span class="search-note">{note}</span> : null}
      {search.busy.value ? <span class="search-busy">searching …</span> : null}
      <button type="button" class="tool search-close" data-testid="search-close" aria-label="Close search" title="Close (Esc)" onClick={() => search.hide()}>
        <Icon name="close" />
      </button>
    </div>
  );
}
