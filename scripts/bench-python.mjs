// `npm run bench:python`: an environment of its own with PyTorch, open_clip, Pillow and scikit-learn, for the sides of benchmarks that
// compare with them. Downloads about 3 GB from PyPI; nothing else of the project needs it.
import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = path.join(root, process.env.DIPTYCH_CACHE ?? ".diptych-cache", "bench-python");
const packages = [
  "torch==2.15.0",
  "torchvision",
  "open_clip_torch==3.3.0",
  "pillow==13.0.0",
  "scikit-learn==1.9.1",
];

function run(command, args) {
  console.log(`$ ${command} ${args.join(" ")}`);
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error?.code === "ENOENT") {
    console.error(
      `bench:python: expected Python 3 as "${command}", found none. Install it with its venv module.`,
    );
    process.exit(1);
  }
  if (status !== 0) process.exit(status ?? 1);
}

run("python3", ["-m", "venv", folder]);
run(path.join(folder, "bin", "python"), ["-m", "pip", "install", ...packages]);
console.log("Installed. `npm run bench -- inference` compares with PyTorch now.");
