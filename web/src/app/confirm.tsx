// confirm({…}) asks in a dialog of the page and answers with a promise.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";

export interface Question {
  title: string;
  text: ComponentChildren;
  /** The button's word: "Kill", "Delete". */
  action: string;
  danger?: boolean;
}

interface Asked extends Question {
  answer: (yes: boolean) => void;
}

const asked = signal<Asked | null>(null);

export function confirm(question: Question): Promise<boolean> {
  asked.peek()?.answer(false);
  return new Promise((resolve) => {
    asked.value = {
      ...question,
      answer: (yes) => {
        asked.value = null;
        resolve(yes);
      },
    };
  });
}

export function ConfirmDialog() {
  const question = asked.value;
  if (!question) return null;
  return (
    <Dialog title={question.title} onClose={() => question.answer(false)}>
      <div class="dialog-text">{question.text}</div>
      <div class="dialog-buttons">
        <Button testid="dialog-cancel" onClick={() => question.answer(false)}>
          Cancel
        </Button>
        <Button testid="dialog-confirm" kind={question.danger ? "danger" : "primary"} autofocus onClick={() => question.answer(true)}>
          {question.action}
        </Button>
      </div>
    </Dialog>
  );
}
