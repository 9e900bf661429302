#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""compare_py_test.py GENERATOR FOLDER: Google Benchmark's own compare.py reads two of our result files."""

import json
import pathlib
import subprocess
import sys

compare = pathlib.Path("/usr/share/benchmark/compare.py")
if not compare.exists():
    print(f"skipped: {compare} (package libbenchmark-tools) is not installed")
    sys.exit(77)
try:
    import numpy, scipy  # noqa: F401  what compare.py imports
except ImportError as error:
    print(f"skipped: compare.py needs {error.name}")
    sys.exit(77)

generator, folder = sys.argv[1], pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
files = [str(folder / name) for name in ("base.json", "contender.json")]
for seed, path in enumerate(files, start=1):
    subprocess.run([generator, "20", "12", str(seed), path], check=True)

dump = folder / "differences.json"
run = subprocess.run([sys.executable, str(compare), "--no-color", "--dump_to_json", str(dump),
                      "benchmarks", *files], capture_output=True, text=True)
print(run.stdout, run.stderr)
assert run.returncode == 0

base, contender = ({row["name"]: row["real_time"] for row in json.load(open(path))["benchmarks"]}
                   for path in files)
differences = {row["name"]: row["measurements"][0]["time"] for row in json.load(open(dump))
               if "measurements" in row and row["run_type"] == "iteration"}
assert differences.keys() == base.keys(), "compare.py lost rows"
for name, difference in differences.items():
    expected = contender[name] / base[name] - 1
    assert abs(difference - expected) < 1e-12, (name, difference, expected)
    assert name in run.stdout
print(f"{len(differences)} rows compared")
