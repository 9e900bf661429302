#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shell steps of scripts/ci_examples, run on a repository with two versions of a program.

usage: ci_examples_test.py STEELYARD
"""
import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest

try:
    import yaml
except ImportError:
    print("skipped: no python3-yaml")
    sys.exit(77)

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "scripts" / "ci_examples"
STEELYARD = None

# Copies the real steelyard and a stand-in for steelyard-gemm, as slow as the version says.
BUILD = """#!/bin/sh
here=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$here/build/bin"
cp "$STEELYARD" "$here/build/bin/steelyard"
sed "s/FACTOR/$(cat "$here/factor")/" "$here/bench" > "$here/build/bin/steelyard-gemm"
chmod +x "$here/build/bin/steelyard-gemm"
echo "$here/build"
"""
BENCH = """#!/bin/sh
out=
for word; do
  [ "$word" != --list ] || { echo gemm/row; exit; }
  [ "$out" != next ] || out=$word
  [ "$word" != --json ] || out=next
done
time=$(awk "BEGIN { print 1000 * FACTOR * (1 + 0.001 * ($$ % 3 - 1)) }")
echo '{"context": {}, "benchmarks": [{"run_name": "gemm/row", "cpu_time": 1, "time_unit": "ns", "real_time":' \\
  "$time}]}" > "$out"
"""


class Project:
    """A git repository whose first commit is the base; the work tree is as slow as `factor`."""

    def __init__(self, folder, factor):
        self.root = pathlib.Path(folder) / "project"
        self.environment = {**os.environ, "STEELYARD": STEELYARD, "HOME": folder,
                            "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.org",
                            "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.org"}
        (self.root / "scripts").mkdir(parents=True)
        script = self.root / "scripts" / "build.sh"
        script.write_text(BUILD)
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        (self.root / "bench").write_text(BENCH)
        (self.root / "factor").write_text("1.0")
        for command in ("git init -q", "git add -A", "git commit -qm base"):
            self.run(command)
        self.base = self.run("git rev-parse HEAD").stdout.strip()
        (self.root / "factor").write_text(str(factor))

    def run(self, script, **environment):
        return subprocess.run(["bash", "-e", "-c", script], cwd=self.root, text=True, capture_output=True,
                              env={**self.environment, **environment}, check=False)


class Examples(unittest.TestCase):
    def github(self, factor):
        steps = yaml.safe_load((EXAMPLES / "github_actions.yml").read_text())["jobs"]["gate"]["steps"]
        code, output = 0, ""
        with tempfile.TemporaryDirectory() as folder:
            project = Project(folder, factor)
            summary = pathlib.Path(folder) / "summary"
            for step in steps:
                if "run" not in step or (code and step.get("if") != "always()"):
                    continue
                done = project.run(step["run"], BASE=project.base, GITHUB_STEP_SUMMARY=str(summary))
                output += done.stdout + done.stderr
                code = code or done.returncode
            return code, output, summary.read_text() if summary.exists() else ""

    def gitlab(self, factor):
        script = yaml.safe_load((EXAMPLES / "gitlab.yml").read_text())["performance"]["script"]
        with tempfile.TemporaryDirectory() as folder:
            project = Project(folder, factor)
            done = project.run("\n".join(script), CI_MERGE_REQUEST_DIFF_BASE_SHA=project.base)
            return done, (project.root / "gate" / "junit.xml").exists()

    def test_github_passes_what_did_not_change(self):
        code, output, summary = self.github(1.0)
        self.assertEqual(code, 0, output)
        self.assertIn("0 of 1 rows regressed", summary)

    def test_github_fails_and_annotates_a_regression(self):
        code, output, summary = self.github(1.1)
        self.assertEqual(code, 1, output)
        self.assertIn("::error title=Performance regression::gemm/row", output)
        self.assertIn("1 of 1 rows regressed", summary)

    def test_gitlab_passes_and_fails_and_leaves_junit(self):
        same, _ = self.gitlab(1.0)
        self.assertEqual(same.returncode, 0, same.stderr)
        slower, junit = self.gitlab(1.1)
        self.assertEqual(slower.returncode, 1, slower.stderr)
        self.assertTrue(junit)


if __name__ == "__main__":
    STEELYARD = os.path.abspath(sys.argv.pop(1))
    unittest.main(argv=sys.argv[:1])
