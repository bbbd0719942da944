/** `diptych plugins`: what is installed, by kind. */
import type { Command } from "commander";
import { installPlugins } from "@diptych/core/plugin";
import { defaultPlugins, openConfigFile } from "diptych";
import { formatTable } from "../table.js";

export function addPluginsCommand(program: Command): void {
  program
    .command("plugins")
    .description("list the encoders, losses, datasets, … that a config can name")
    .option("--config <file>", "also those that this configuration loads")
    .option("--json", "print JSON")
    .addHelpText("after", "\nExample:\n  $ diptych plugins --config my-run.ts")
    .action(async ({ config, json }: { config?: string; json?: boolean }) => {
      const registry =
        config === undefined
          ? installPlugins(defaultPlugins)
          : (await openConfigFile(config)).registry;
      const rows = registry.list().map(({ plugin, declaration }) => ({
        kind: declaration.kind,
        type: declaration.type,
        summary: declaration.summary,
        plugin,
      }));
      rows.sort((a, b) => a.kind.localeCompare(b.kind) || a.type.localeCompare(b.type));
      process.stdout.write(
        json
          ? `${JSON.stringify(rows, null, 2)}\n`
          : `${formatTable(
              ["kind", "type", "what it is", "from"],
              rows.map((row) => [row.kind, row.type, row.summary, row.plugin]),
            )}\n`,
      );
    });
}
