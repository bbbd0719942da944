/** `diptych new`: the beginning of something of one's own, ready to install and test. */
import { relative } from "node:path";
import type { Command } from "commander";
import { newPlugin } from "../scaffold/new-plugin.js";

interface NewPluginFlags {
  readonly out?: string;
  readonly packages?: string;
}

export function addNewCommand(program: Command, version: string): void {
  const group = program.command("new").description("begin a plugin of your own");
  group
    .command("plugin")
    .description(
      "a package with a tower and a loss, their contract tests, and a comparison with CLIP",
    )
    .argument("<name>", "name of the package and of what it declares, e.g. hard-negatives")
    .option("-o, --out <dir>", "folder to write into (default: the name)")
    .option(
      "--packages <dir>",
      "install Diptych from the tarballs there (npm run pack in its repository makes them)",
    )
    .addHelpText(
      "after",
      `
Example:
  $ diptych new plugin hard-negatives --out ../hard-negatives
  $ cd ../hard-negatives && npm install && npm test
  $ npm run compare:tiny

The tower and the loss are one file of under 60 lines; write your own method in their place.`,
    )
    .action(async (name: string, { out = name, packages }: NewPluginFlags) => {
      const files = await newPlugin({
        name,
        out,
        version,
        ...(packages === undefined ? {} : { packages }),
      });
      const folder = relative(process.cwd(), out) || ".";
      process.stdout.write(
        `${folder} has a plugin now: ${files.join(", ")}.\n\nNext:\n${folder === "." ? "" : `  cd ${folder}\n`}  npm install\n  npm test\n  npm run compare:tiny   # see README.md\n`,
      );
    });
}
