"""Runs CLIP_benchmark's own `build` on the results of `diptych eval --json DIR`, and says what its table holds.

    pip install clip-benchmark==1.6.2        (or --no-deps: only the one function of its cli.py is run)
    python check_clip_benchmark_build.py DIR

It is `clip_benchmark build DIR`, without the imports of its data sets. Fails where a task is missing from the table, or a
metric of a file is not what stands there.
"""
import ast
import csv
import importlib.util
import json
import os
import sys
import tempfile
import types

folder = sys.argv[1]
origin = os.path.dirname(importlib.util.find_spec("clip_benchmark").origin)
with open(os.path.join(origin, "cli.py")) as file:
    functions = [node for node in ast.parse(file.read()).body if isinstance(node, ast.FunctionDef)]
names = {"json": json, "csv": csv, "os": os}
build = [node for node in functions if node.name == "main_build"]
exec(compile(ast.Module(build, []), "clip_benchmark/cli.py", "exec"), names)

with tempfile.TemporaryDirectory() as work:
    table = os.path.join(work, "benchmark.csv")
    names["main_build"](types.SimpleNamespace(files=[folder], output=table))
    with open(table) as file:
        rows = list(csv.DictReader(file))

files = [name for name in sorted(os.listdir(folder)) if name.endswith(".json")]
assert len(rows) == len(files), f"expected a row for each of {files}, got {len(rows)}"
for name in files:
    with open(os.path.join(folder, name)) as file:
        result = json.load(file)
    row = next(
        row
        for row in rows
        if all(row[key] == result[key] for key in ("dataset", "task", "model", "pretrained", "language"))
        and all(row[key] == ("" if value is None else str(value)) for key, value in result["metrics"].items())
    )
    print(name, "→", {key: value for key, value in row.items() if value != ""})
