import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { minify } from "terser";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const outdir = here("../runwidgets/static");
const sources = ["src/panels.ts", "src/part.ts", "src/runwidgets.css"];

await mkdir(outdir, { recursive: true });
// The module is loaded from a blob URL, where a relative import has nothing to resolve against: so one file.
await build({
  absWorkingDir: here("."),
  entryPoints: sources.map(here),
  outdir,
  bundle: true,
  splitting: false,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
});

// Each display brings it once more: what a second pass takes off is worth its seconds.
const panels = `${outdir}/panels.js`;
const small = await minify(await readFile(panels, "utf8"), {
  module: true,
  compress: { passes: 3 },
  mangle: true,
});
await writeFile(panels, small.code);

// The page of the portal loads from its server, one script. Backbone and others in it look for `define`, which is the
// page's own: it must not find that one.
await build({
  absWorkingDir: here("."),
  entryPoints: { portal: here("src/portal/main.ts") },
  outdir: `${outdir}/portal`,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "linked",
  logLevel: "warning",
  define: { define: "undefined", "process.env.NODE_ENV": '"production"', global: "globalThis" },
  loader: { ".svg": "dataurl", ".woff2": "dataurl", ".png": "dataurl" },
});

let raw = 0;
let packed = 0;
for (const name of ["panels.js", "runwidgets.css"]) {
  const bytes = await readFile(`${outdir}/${name}`);
  const gzip = gzipSync(bytes, { level: 9 }).length;
  raw += bytes.length;
  packed += gzip;
  console.log(`${name.padEnd(16)}${String(bytes.length).padStart(7)} B ${String(gzip).padStart(7)} B gzip`);
}
console.log(`${"total".padEnd(16)}${String(raw).padStart(7)} B ${String(packed).padStart(7)} B gzip`);
