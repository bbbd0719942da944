// `npm run quickstart`: compiles what is stale, then trains on emoji and writes the report.
// Arguments after `--` go to `diptych quickstart`.
import { buildPackages, runDiptych } from "./build-and-run.mjs";

buildPackages();
runDiptych(["quickstart", ...process.argv.slice(2)]);
