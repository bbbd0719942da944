// `npm run setup:tfjs-node`, `setup:tfjs-node-gpu`, `setup:cuda`: compiles what is stale, then runs `diptych setup`.
// Arguments after `--` go to it.
import { buildPackages, runDiptych } from "./build-and-run.mjs";

buildPackages();
runDiptych(["setup", ...process.argv.slice(2)]);
