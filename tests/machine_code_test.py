#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The budgets of check_machine_code.py: on ptxas's report of one kernel, and where a compiler is
named on the command line, on kernels with a planted fault each."""
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
CHECK = SCRIPTS / "check_machine_code.py"
PLANTED = Path(__file__).with_name("planted_machine_code.cu")
COMPILER = sys.argv.pop(1) if len(sys.argv) > 1 else ""

sys.path.insert(0, str(SCRIPTS))
from machine_code_loops import natural_loops

DEFAULTS = """
[defaults]
at_most = { spills = 0, scratch_bytes = 0, waterfalls = 0, serialised_wgmma = 0 }
"""
EVERY_KERNEL = DEFAULTS + '[[kernel]]\nkernel = "*"\n'
REPORT = """\
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function '_ZN9steelyard3gpu4tileILi4EEEvPf' for 'sm_80'
ptxas info    : Function properties for _ZN9steelyard3gpu4tileILi4EEEvPf
    16 bytes stack frame, 8 bytes spill stores, 12 bytes spill loads
ptxas info    : Used 24 registers, used 1 barriers, 1024 bytes smem, 360 bytes cmem[0]
"""


def check(budgets, *paths):
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "budgets.toml")
        file.write_text(budgets, encoding="utf-8")
        return subprocess.run([sys.executable, CHECK, "--budgets", file, *paths],
                              capture_output=True, text=True, check=False)


def build_folder(folder, report):
    """What a build leaves behind that compiled one CUDA source."""
    Path(folder, "k.cu.o.ptxas").write_text(report, encoding="utf-8")
    Path(folder, "compile_commands.json").write_text(json.dumps(
        [{"directory": str(folder), "file": "k.cu", "command": "nvcc -c k.cu -o k.cu.o"}]),
        encoding="utf-8")
    return folder


class Budgets(unittest.TestCase):
    def outcome(self, budgets, report=REPORT):
        with tempfile.TemporaryDirectory() as folder:
            return check(budgets, build_folder(folder, report))

    def assert_fault(self, budgets, message):
        outcome = self.outcome(budgets)
        self.assertEqual(outcome.returncode, 1, outcome.stdout + outcome.stderr)
        self.assertIn(message, outcome.stdout)

    def test_a_kernel_within_its_budget_passes(self):
        outcome = self.outcome('[[kernel]]\nkernel = "tile<*>"\narchitecture = "sm_*"\n'
                               'at_most = { registers = 24, spills = 20, scratch_bytes = 16 }\n'
                               'at_least = { shared_bytes = 1024 }\n')
        self.assertEqual(outcome.returncode, 0, outcome.stdout + outcome.stderr)
        self.assertIn("1 kernels, all within budget", outcome.stdout)

    def test_each_bound_is_held(self):
        tile = '[[kernel]]\nkernel = "tile<4>"\n'
        self.assert_fault(tile + "at_most = { registers = 23 }", "registers 24, at most 23")
        self.assert_fault(tile + "at_least = { registers = 25 }", "registers 24, at least 25")
        self.assert_fault(tile + "at_least = { mfma = 1 }", "mfma unknown")
        self.assert_fault(EVERY_KERNEL, "tile<4> sm_80: spills 20, at most 0")
        self.assert_fault(EVERY_KERNEL, "tile<4> sm_80: scratch_bytes 16, at most 0")

    def test_the_first_budget_that_matches_decides(self):
        lenient = '[[kernel]]\nkernel = "tile<*>"\nat_most = { spills = 20, scratch_bytes = 16 }\n'
        rest = '[[kernel]]\nkernel = "*"\n'
        self.assertIn("* *: this budget is for no kernel",
                      self.outcome(DEFAULTS + lenient + rest).stdout)
        self.assert_fault(DEFAULTS + rest + lenient, "spills 20, at most 0")

    def test_every_kernel_needs_a_budget_and_every_budget_a_kernel(self):
        self.assert_fault('[[kernel]]\nkernel = "other"\n', "tile<4> sm_80: no budget")
        self.assert_fault('[[kernel]]\nkernel = "other"\n', "other *: this budget is for no kernel")
        outcome = self.outcome('[[kernel]]\nkernel = "tile<4>"\n'
                               '[[kernel]]\nkernel = "other"\narchitecture = "gfx*"\n')
        self.assertEqual(outcome.returncode, 0, outcome.stdout)  # nothing was said of gfx here

    def test_an_unknown_metric_is_refused(self):
        outcome = self.outcome('[[kernel]]\nkernel = "*"\nat_most = { register = 1 }\n')
        self.assertNotEqual(outcome.returncode, 0)
        self.assertIn("no such metric: register", outcome.stderr)

    def test_a_report_without_kernels_or_none_at_all_fails(self):
        self.assertIn("no kernel was found", self.outcome(EVERY_KERNEL, "").stdout)
        with tempfile.TemporaryDirectory() as folder:
            Path(build_folder(folder, ""), "k.cu.o.ptxas").unlink()
            outcome = check(EVERY_KERNEL, folder)
        self.assertNotEqual(outcome.returncode, 0)
        self.assertIn("is missing", outcome.stderr)


class Loops(unittest.TestCase):
    """By header: the blocks of the loop, and those that jump back; block i's successors are given."""

    def test_nested_loops_are_told_apart(self):
        self.assertEqual(natural_loops([{1}, {2}, {2, 3}, {1, 4}, set()]),
                         {1: ({1, 2, 3}, {3}), 2: ({2}, {2})})

    def test_a_loop_continued_from_two_places_is_one(self):
        self.assertEqual(natural_loops([{1}, {1, 2}, {1, 3}, set()]), {1: ({1, 2}, {1, 2})})

    def test_a_block_laid_out_elsewhere_makes_no_loop(self):
        # 3 stands after the end and jumps back, but nothing before its target can be repeated.
        self.assertEqual(natural_loops([{1, 3}, {2}, set(), {1}]), {})

    def test_what_cannot_be_reached_is_left_out(self):
        self.assertEqual(natural_loops([{1}, set(), {2}]), {})


class Planted(unittest.TestCase):
    """The faults that the check finds in the planted kernels, by kernel."""

    def faults(self, budgets, *paths):
        outcome = check(budgets, *paths)
        self.assertIn(outcome.returncode, (0, 1), outcome.stderr)
        found = {}
        for line in outcome.stdout.split("\n\n")[1].splitlines():
            kernel, _, fault = line.partition(": ")
            found.setdefault(kernel, []).append(fault.split()[0])
        return found

    @unittest.skipUnless("nvcc" in COMPILER, "no nvcc was named")
    def test_each_fault_is_found_by_ptxas(self):
        with tempfile.TemporaryDirectory() as folder:
            compiled = subprocess.run(
                [COMPILER, "-std=c++20", "-gencode=arch=compute_80,code=sm_80",
                 "-gencode=arch=compute_90a,code=sm_90a", "--resource-usage", "-c", PLANTED, "-o",
                 Path(folder, "planted.o")], check=True, capture_output=True, text=True)
            found = self.faults(EVERY_KERNEL,
                                build_folder(folder, compiled.stdout + compiled.stderr))
        # Where registers spill, they spill to scratch memory.
        self.assertEqual(found, {"spills sm_80": ["spills", "scratch_bytes"],
                                 "spills sm_90a": ["spills", "scratch_bytes"],
                                 "scratch sm_80": ["scratch_bytes"],
                                 "scratch sm_90a": ["scratch_bytes"],
                                 "serialised_wgmma sm_90a": ["serialised_wgmma"]})

    @unittest.skipUnless("clang" in COMPILER or "hipcc" in COMPILER, "no clang was named")
    def test_each_fault_is_found_by_clang(self):
        budgets = DEFAULTS + """
[[kernel]]
kernel = "busy_mfma"
at_most = { mca_ratio = 1.1, vector_share = 0.1, accvgpr_moves = 0, divergent_branches = 0 }
at_least = { mfma = 4 }
[[kernel]]
kernel = "waiting_mfma"
at_most = { mca_ratio = 1.1 }
at_least = { mfma = 4 }
[[kernel]]
kernel = "clean"
at_most = { narrow_accesses = 0 }
[[kernel]]
kernel = "*"
"""
        with tempfile.TemporaryDirectory() as folder:
            planted = Path(folder, "planted.o")
            subprocess.run([COMPILER, "-x", "hip", "-O3", "-std=c++20", "--offload-arch=gfx90a",
                            "--offload-arch=gfx942", "-c", PLANTED, "-o", planted], check=True,
                           capture_output=True, text=True)
            found = self.faults(budgets, planted)
        for architecture in ("gfx90a", "gfx942"):
            self.assertEqual(
                {kernel.split()[0]: faults for kernel, faults in found.items()
                 if kernel.endswith(architecture)},
                {"spills": ["spills", "scratch_bytes"], "scratch": ["scratch_bytes"],
                 "waterfall": ["waterfalls"], "waiting_mfma": ["mca_ratio", "mfma"],
                 "clean": ["narrow_accesses"]})


if __name__ == "__main__":
    unittest.main()
