import { describe, expect, it } from "vitest";
import { fromLocalInput, readAuditQuery, resourceLink, toLocalInput, writeAuditQuery } from "./audit/query";
import { traceText } from "./audit/trace-text";
import { partRows } from "./health/part";
import { asDefault, emptyImage, toImage, validateImage } from "./images/form";
import { claimLink, validateEmail } from "./users/form";

describe("images", () => {
  it("checks what it can", () => {
    expect(Object.keys(validateImage({ ...emptyImage, image: " ", cpu: "x", memory: "1.5" }))).toEqual(["image", "cpu", "memory"]);
    expect(validateImage({ ...emptyImage, image: "debian" })).toEqual({});
  });
  it("sends what is filled in", () => {
    expect(toImage({ ...emptyImage, image: " debian " })).toEqual({ image: "debian" });
    expect(toImage({ image: "d", isDefault: true, cpu: "1024", memory: "512", platform: "Linux/ARM64" })).toEqual({
      image: "d",
      is_default: true,
      cpu: 1024,
      memory: 512,
      runtime_platform: "Linux/ARM64",
    });
  });
  it("registers the same again as the default", () => {
    const image = { image_id: "d-1", image: "d", is_default: false, cpu: 512, memory: 0, task_role_name: "r", created_at: null };
    expect(asDefault(image)).toEqual({ image: "d", is_default: true, cpu: 512, task_role_name: "r" });
  });
});

describe("users", () => {
  it("checks addresses roughly", () => {
    expect(validateEmail(" ada@example.com ")).toEqual({});
    for (const email of ["", "ada", "a b@c", "@"]) expect(Object.keys(validateEmail(email))).toEqual(["email"]);
  });
  it("puts the token in the fragment", () => {
    expect(claimLink("a_B-1", "https://t.example")).toBe("https://t.example/#/claim/a_B-1");
  });
});

describe("audit", () => {
  it("reads and writes the address", () => {
    const query = readAuditQuery(new URLSearchParams("email=+a%40b.c+&action=secrets&foo=1&result="));
    expect(query).toEqual({ email: "a@b.c", action: "secrets" });
    expect(writeAuditQuery(query)).toEqual({ email: "a@b.c", action: "secrets", resource: null, result: null, request_id: null, since: null, until: null });
  });
  it("shows times by this browser's clock and sends them as UTC", () => {
    const time = "2026-05-01T10:20:00.000Z";
    expect(fromLocalInput(toLocalInput(time))).toBe(time);
    expect(toLocalInput("nonsense")).toBe("");
    expect(toLocalInput(undefined)).toBe("");
    expect(fromLocalInput("")).toBeUndefined();
  });
  it("links executions only", () => {
    const id = "0".repeat(32);
    expect(resourceLink(`execution/${id}`)).toBe(`/executions/${id}`);
    expect(resourceLink("secret/db")).toBeNull();
    expect(resourceLink("execution/../x")).toBeNull();
    expect(resourceLink(undefined)).toBeNull();
  });
  it("tells a trace in lines", () => {
    const logs = [{ message: '{"time":"T","level":"info","msg":"http","request_id":"r","status":"200"}' }, { message: "no JSON" }];
    expect(traceText({ logs, related_resources: { secrets: null } })).toBe("T info http status=200\nno JSON");
    expect(traceText({ logs: null, related_resources: {} })).toContain("Nothing is known");
    expect(traceText({ logs: null, related_resources: { images: [{ image: "d" }] } })).toContain('"image": "d"');
  });
});

it("partRows shows counts, then lists that hold something", () => {
  expect(partRows({ orphaned_resources: ["a", "b"], total_resources: 3, verified_count: 2, default_roles_verified: true, missing_roles: [] })).toEqual([
    { label: "Total resources", text: "3", names: [] },
    { label: "Verified", text: "2", names: [] },
    { label: "Default roles verified", text: "yes", names: [] },
    { label: "Orphaned resources", text: "", names: ["a", "b"] },
  ]);
});
