// `npm run pack [-- FOLDER]`: every package as a tarball in FOLDER (tarballs), as a registry would have it, with a list of
// them by name, for projects elsewhere: `diptych new plugin NAME --packages FOLDER`.
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { buildPackages, root } from "./build-and-run.mjs";

const folder = path.resolve(process.argv[2] ?? path.join(root, "tarballs"));

buildPackages();
mkdirSync(folder, { recursive: true });
// Those of an earlier version would be left beside; what else is in a folder that was named is not ours.
for (const file of readdirSync(folder)) {
  if (/^diptych-.*\.tgz$/.test(file)) rmSync(path.join(folder, file));
}
// The repository has one licence, each tarball its own copy.
const licences = readdirSync(path.join(root, "packages")).map((name) =>
  path.join(root, "packages", name, "LICENSE"),
);
for (const licence of licences) copyFileSync(path.join(root, "LICENSE"), licence);
const packed = spawnSync("npm", ["pack", "--workspaces", "--json", "--pack-destination", folder], {
  cwd: root,
  encoding: "utf8",
  stdio: ["ignore", "pipe", "inherit"],
});
for (const licence of licences) rmSync(licence);
if (packed.status !== 0) process.exit(packed.status ?? 1);
const files = Object.fromEntries(
  JSON.parse(packed.stdout).map(({ name, filename }) => [name, path.basename(filename)]),
);
writeFileSync(path.join(folder, "packages.json"), `${JSON.stringify(files, null, 2)}\n`);
console.log(
  `${Object.keys(files).length} packages in ${path.relative(process.cwd(), folder) || "."}`,
);
