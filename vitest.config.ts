import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    // Every file gets its own process: engines own workers and large memories.
    pool: "forks",
    maxWorkers: 2,
    // What was built is run as it is, and not transformed once more.
    server: { deps: { external: [/\/dist\/(?!.*\/(src|test)\/)/] } },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
