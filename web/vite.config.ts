import { defineConfig } from "vitest/config";

declare const process: { env: Record<string, string | undefined> };

// Where `npm run dev` finds the API: a `tailgated --dev` of one's own.
const gateway = process.env["TAILGATE_ENDPOINT"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "/",
  build: {
    target: "es2022",
    outDir: process.env["TAILGATE_WEB_OUT"] ?? "dist",
    emptyOutDir: true,
    sourcemap: false,
    // The Content-Security-Policy has no data: for scripts and styles, and a hashed file of its own
    // is cached for good.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  worker: { format: "es" },
  server: { proxy: { "/api": { target: gateway, ws: true } } },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}", "tests/**/*.test.{ts,tsx}"],
    pool: "threads",
    restoreMocks: true,
    // Tests read style sheets too (contrast).
    css: true,
  },
});
