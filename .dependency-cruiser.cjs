/** The rooms of docs/architecture.md, top to bottom: a file may import its own room and any room below it. */
const rooms = [
  "cli",
  "report",
  "experiment",
  "learning",
  "network",
  "data",
  "kernels",
  "device",
  "model",
  "expression",
  "wasm",
  "random",
  "math",
  "base",
];

const downwards = rooms.map((room, depth) => ({
  name: `${room}-imports-only-downwards`,
  severity: "error",
  comment: `src/${room} may import only from ${rooms.slice(depth).join(", ")}`,
  from: { path: `^src/${room}/` },
  to: { path: `^src/(index|${rooms.slice(0, depth).join("|") || "-"})(/|\\.|$)` },
}));

module.exports = {
  forbidden: [
    ...downwards,
    {
      name: "browser-clean-below-experiment",
      severity: "error",
      comment:
        "From learning/ down everything runs unchanged in a browser; what needs Node sits in *.node.ts. " +
        "Tests are free to use Node.",
      from: {
        path: "^src/(learning|network|data|kernels|device|model|expression|wasm|random|math|base)/",
        pathNot: "(\\.node|\\.test)\\.ts$",
      },
      to: { dependencyTypes: ["core"] },
    },
    {
      name: "node-files-only-from-node-files",
      severity: "error",
      comment: "A *.node.ts file below experiment/ is reached only from another *.node.ts file or from above.",
      from: {
        path: "^src/(learning|network|data|kernels|device|model|expression|wasm|random|math|base)/",
        pathNot: "(\\.node|\\.test)\\.ts$",
      },
      to: { path: "\\.node\\.ts$" },
    },
    {
      name: "no-circular",
      severity: "error",
      from: { pathNot: "\\.test\\.ts$" },
      to: { circular: true },
    },
    { name: "no-tests-in-code", severity: "error", from: { pathNot: "\\.test\\.ts$" }, to: { path: "\\.test\\.ts$" } },
    {
      name: "declared-dependencies-only",
      severity: "error",
      from: { path: "^src", pathNot: "\\.test\\.ts$" },
      to: { dependencyTypes: ["npm-no-pkg", "npm-dev", "npm-unknown"] },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] },
  },
};
