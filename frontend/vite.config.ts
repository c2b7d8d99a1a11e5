import { defineConfig } from "vitest/config";

const BACKEND = process.env.BACKEND ?? "http://127.0.0.1:8000";

export default defineConfig({
  base: "/static/app/",
  build: {
    target: "es2022",
    // The content security policy admits no data: fonts or styles, so nothing is inlined.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: { "/api": BACKEND, "/accounts": BACKEND, "/admin": BACKEND },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    restoreMocks: true,
    // One jsdom a worker: starting one a file takes longer than all tests.
    isolate: false,
  },
});
