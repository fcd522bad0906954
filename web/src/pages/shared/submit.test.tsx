import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, describe, expect, it } from "vitest";
import { ApiError } from "../../api/client";
import { runFieldWords, runFields } from "../run/form";
import { errorText, fieldOfError, useSubmit, type Submission } from "./submit";

const failure = (details: string, status = 400, headers?: Headers): ApiError =>
  new ApiError(status, { code: "INVALID_REQUEST", error: "failed to run command", details }, headers);

describe("fieldOfError", () => {
  it.each<[string, string | null]>([
    ["command is required", "command"],
    ['env: the name "1A" must be the name of an environment variable', "env"],
    ['secret "nope" not found', "secrets"],
    ['image "nope" is not registered', "image"],
    ["git_repo must be a repository's https, http, ssh, git or file URL", "git_repo"],
    ["timeout must be between 0 and 31622400", "timeout"],
    ["too many executions run", null],
    ["constructor is no field", null],
    ["", null],
  ])("%j is about %s", (details, field) => {
    expect(fieldOfError(failure(details), runFields, runFieldWords)).toBe(field);
  });

  it("is null for what the API did not say", () => {
    expect(fieldOfError(new Error("command"), runFields)).toBeNull();
  });
});

it("errorText says when to come back", () => {
  expect(errorText(failure("too many", 429, new Headers({ "Retry-After": "3" })))).toBe("too many (try again in 3 s)");
  expect(errorText(new Error("x"))).toBe("x");
});

describe("useSubmit", () => {
  const place = document.createElement("div");
  let submit: Submission;
  const Probe = () => {
    submit = useSubmit(["name"]);
    return null;
  };
  const run = (check: Record<string, string>, send: () => Promise<void>) =>
    act(async () => {
      await submit.run(() => check, send);
    });
  afterEach(() => render(null, place));

  it("sends nothing that is wrong", async () => {
    await act(() => render(<Probe />, place));
    let sent = 0;
    await run({ name: "missing" }, () => Promise.resolve(void sent++));
    expect(submit.errors).toEqual({ name: "missing" });
    expect(sent).toBe(0);
    await run({}, () => Promise.resolve(void sent++));
    expect(submit.errors).toEqual({});
    expect(sent).toBe(1);
  });

  it("puts the server's complaint at its field, or below the form", async () => {
    await act(() => render(<Probe />, place));
    await run({}, () => Promise.reject(failure("name must be letters")));
    expect(submit.errors).toEqual({ name: "name must be letters" });
    expect(submit.failure).toBeNull();
    await run({}, () => Promise.reject(failure("the database is away", 503)));
    expect(submit.errors).toEqual({});
    expect(submit.failure).toBeInstanceOf(ApiError);
    expect(submit.busy).toBe(false);
  });

  it("sends one at a time", async () => {
    await act(() => render(<Probe />, place));
    let end: () => void = () => undefined;
    let sent = 0;
    const send = (): Promise<void> => {
      sent++;
      return new Promise((resolve) => {
        end = resolve;
      });
    };
    let first: Promise<boolean> = Promise.resolve(false);
    await act(() => {
      first = submit.run(() => ({}), send);
    });
    expect(submit.busy).toBe(true);
    await run({}, send);
    expect(sent).toBe(1);
    await act(async () => {
      end();
      await first;
    });
    expect(submit.busy).toBe(false);
  });
});
