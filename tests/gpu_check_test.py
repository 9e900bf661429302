#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gpu_check.sh in a made-up bundle, whose programs are scripts that pass, fail or are killed."""
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent / "scripts/gpu_check.sh"
STEPS = ["machine", "tests", "virtual", "memcheck", "racecheck", "quick", "standard", "report"]

# A program of the suites: one row in tier portable, a device unless the file `no_device` is there.
BENCH = """#!/bin/sh
here=$(dirname "$0")/..
[ -e "$here/no_device" ] && { echo "no cuda device: no driver" >&2; exit 6; }
case "$*" in
  *--list*--tier*library* | *--list*--tier*tuned*) exit 2 ;;
  *--list*) exit 0 ;;
esac
while [ $# -gt 0 ]; do [ "$1" = --json ] && echo '{}' >"$2"; shift; done
"""
REPORTER = "#!/bin/sh\necho \"steelyard $*\"\n"


class GpuCheck(unittest.TestCase):
    def setUp(self):
        self.bundle = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.bundle)
        shutil.copy(SCRIPT, self.bundle)
        (self.bundle / "vendor").write_text("cuda\n", encoding="utf-8")
        (self.bundle / "bundle.txt").write_text("commit: none\n", encoding="utf-8")
        self.program("bin/steelyard", REPORTER)
        for family in ("gemm", "memory"):
            self.program(f"bin/steelyard-{family}", BENCH)
        # Only what the script itself needs, so that no vendor's tool of this machine is found.
        self.program("tools/compute-sanitizer", "#!/bin/sh\necho \"sanitized $*\"\n")

    def program(self, name, text):
        file = self.bundle / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)

    def check(self, *arguments):
        path = f"{self.bundle}/tools:/usr/bin:/bin"
        return subprocess.run(["bash", self.bundle / "gpu_check.sh", *arguments], text=True,
                              capture_output=True, check=False, env={**os.environ, "PATH": path})

    def status(self):
        lines = self.check("--status").stdout.splitlines()
        return {line.split()[0]: line.split()[1] for line in lines}

    def test_without_a_device_every_step_says_so(self):
        (self.bundle / "no_device").touch()
        for step in [[], *([step] for step in STEPS)]:
            outcome = self.check(*step)
            self.assertEqual(outcome.returncode, 6, outcome.stdout + outcome.stderr)
            self.assertIn("no device: no cuda device: no driver", outcome.stderr)

    def test_a_step_that_does_not_exist_is_refused(self):
        for argument in ("nonsense", "--nonsense"):
            self.assertEqual(self.check(argument).returncode, 2)

    def test_all_is_done_once_and_packed(self):
        self.program("bin/gpu_count_test", f"#!/bin/sh\necho run >>{self.bundle}/count\n")
        self.program("virtual/bin/gpu_count_test", "#!/bin/sh\n")
        self.program("bin/gpu_kernels_test", "#!/bin/sh\necho $LD_LIBRARY_PATH\n")
        for _ in range(2):
            outcome = self.check()
            self.assertEqual(outcome.returncode, 0, outcome.stdout + outcome.stderr)
            self.assertIn("all done, all passed", outcome.stdout)
        self.assertEqual((self.bundle / "count").read_text(encoding="utf-8"), "run\n")
        status = self.status()
        self.assertEqual(status["tests/gpu_count_test"], "passed")
        self.assertEqual(status["virtual/gpu_count_test"], "passed")
        libraries = self.bundle / "results/log/virtual-gpu_kernels_test.txt"
        self.assertEqual(libraries.read_text(encoding="utf-8").split(":")[0],
                         str((self.bundle / "virtual/lib").resolve()))
        self.assertEqual(status["memcheck/gpu_count_test"], "passed")
        self.assertEqual(status["racecheck/steelyard-gemm"], "passed")
        self.assertEqual(status["quick/steelyard-memory-portable"], "passed")
        self.assertEqual(status["standard/steelyard-gemm-library"], "absent")
        with tarfile.open(self.bundle / "results.tar.gz") as pack:
            names = pack.getnames()
        for name in ("./quick/steelyard-gemm-portable.json", "./standard.md", "./status.txt",
                     "./state.tsv", "./bundle.txt", "./packed_logs/tests-gpu_count_test.txt"):
            self.assertIn(name, names)

    def test_a_failure_is_shown_and_the_rest_goes_on(self):
        self.program("bin/gpu_a_test", "#!/bin/sh\necho wrong by 3; exit 4\n")
        self.program("bin/gpu_b_test", "#!/bin/sh\n")
        outcome = self.check("tests")
        self.assertEqual(outcome.returncode, 1)
        self.assertIn("wrong by 3", outcome.stdout)
        self.assertEqual(self.status()["tests/gpu_a_test"], "failed(4)")
        self.assertEqual(self.status()["tests/gpu_b_test"], "passed")

    def test_what_does_not_fit_into_the_budget_is_left_for_the_next_call(self):
        for name in "ab":
            self.program(f"bin/gpu_{name}_test", "#!/bin/sh\n")
        outcome = self.check("--budget", "10", "tests")
        self.assertEqual(outcome.returncode, 75, outcome.stdout)
        self.assertEqual(self.status(), {"tests/gpu_a_test": "passed"})
        self.assertEqual(self.check("--budget", "10", "tests").returncode, 0)
        self.assertEqual(self.status()["tests/gpu_b_test"], "passed")

    def test_a_killed_call_is_resumed_and_a_deadly_unit_given_up(self):
        self.program("bin/gpu_a_test", "#!/bin/sh\n")
        self.program("bin/gpu_b_test", f"#!/bin/sh\ntouch {self.bundle}/there; exec sleep 15\n")
        for _ in range(2):
            with subprocess.Popen(["setsid", "bash", self.bundle / "gpu_check.sh", "tests"],
                                  stdout=subprocess.DEVNULL) as call:
                while not (self.bundle / "there").exists():
                    time.sleep(0.05)
                os.killpg(call.pid, 9)
            (self.bundle / "there").unlink()
            self.assertEqual(self.status(),
                             {"tests/gpu_a_test": "passed", "tests/gpu_b_test": "started"})
        outcome = self.check("tests")
        self.assertEqual(outcome.returncode, 1, outcome.stdout)
        self.assertEqual(self.status()["tests/gpu_b_test"], "given-up")

    def test_long_logs_are_cut(self):
        self.program("bin/gpu_a_test", "#!/bin/sh\nhead -c 1000000 /dev/zero | tr '\\0' x\n")
        self.check("tests")
        with tarfile.open(self.bundle / "results.tar.gz") as pack:
            self.assertEqual(pack.getmember("./packed_logs/tests-gpu_a_test.txt").size, 100000)

    def test_the_lack_of_a_tool_or_a_build_is_named(self):
        (self.bundle / "tools/compute-sanitizer").unlink()
        outcome = self.check("memcheck", "racecheck", "virtual")
        self.assertEqual(outcome.returncode, 0)
        self.assertIn("there is no compute-sanitizer", outcome.stdout)
        self.assertEqual(self.status(), {name: "absent" for name in
                                         ("memcheck", "racecheck", "virtual")})


if __name__ == "__main__":
    unittest.main()
