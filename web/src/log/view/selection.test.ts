import { beforeEach, describe, expect, it } from "vitest";
import { cutText, LogSelection, ordered } from "./selection";

it.each([
  ["one\ntwo\nthree", { from: { seq: 1, offset: 0 }, to: { seq: 3, offset: Infinity } }, "one\ntwo\nthree"],
  ["one\ntwo\nthree\n", { from: { seq: 1, offset: 2 }, to: { seq: 3, offset: 2 } }, "e\ntwo\nth"],
  ["one", { from: { seq: 1, offset: 1 }, to: { seq: 1, offset: 2 } }, "n"],
  ["one\n\nthree", { from: { seq: 1, offset: 3 }, to: { seq: 2, offset: 0 } }, "\n\n"],
])("cuts %j", (text, selected, cut) => expect(cutText(text, selected)).toBe(cut));

it("orders two points", () => {
  const [a, b] = [{ seq: 3, offset: 1 }, { seq: 3, offset: 4 }];
  expect(ordered(b, a)).toEqual({ from: a, to: b });
});

describe("LogSelection", () => {
  let block: HTMLElement;
  const rows = (seqs: number[]): void => {
    block.replaceChildren(...seqs.map((seq) => {
      const row = document.createElement("div");
      row.dataset["seq"] = String(seq);
      const number = document.createElement("span");
      number.textContent = String(seq);
      const text = document.createElement("span");
      text.className = "text";
      text.textContent = `line ${seq}`;
      row.append(number, text);
      return row;
    }));
  };
  beforeEach(() => {
    block = document.createElement("div");
    document.body.replaceChildren(block);
    rows([1, 2, 3, 4]);
  });

  it("gives the text of lines without their numbers", () => {
    const selection = new LogSelection(block);
    selection.select(2, 3);
    expect(selection.textInPage()).toBe("line 2\nline 3");
  });

  it("says when lines are no longer in the page", () => {
    const selection = new LogSelection(block);
    selection.select(1, 4);
    rows([3, 4, 5]);
    selection.restore();
    expect(selection.current).toEqual({ from: { seq: 1, offset: 0 }, to: { seq: 4, offset: Infinity } });
    expect(selection.textInPage()).toBeNull();
    rows([1, 2, 3, 4]);
    expect(selection.textInPage()).toBe("line 1\nline 2\nline 3\nline 4");
  });

  it("is nothing when nothing is selected", () => {
    const selection = new LogSelection(block);
    expect(selection.current).toBeNull();
    expect(selection.textInPage()).toBe("");
  });
});
