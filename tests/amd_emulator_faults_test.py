#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every planted fault of amd_faults is found on every emulated AMD GPU: amd_emulator_faults_test.py PROGRAM EMULATOR"""
import os
import re
import signal
import subprocess
import sys
import unittest

PROGRAM, EMULATOR = sys.argv[1:3]
TARGETS = ["gfx90a", "gfx942"]
LOST = r"launch hipSuccess, synchronise hipErrorLaunchFailure, later hipErrorLaunchFailure"
FINE = r"launch hipSuccess, synchronise hipSuccess, later hipSuccess"

# What the emulator must say of each on stderr. Where it must name the place, so does the pattern.
FOUND = {
    "global_read_beyond": r"read_at.* workgroup \(0, 0, 0\) wave 0, at 0x[0-9a-f]+: \w+_load_dword.*"
                          r"reads 4 bytes at 0x[0-9a-f]+",
    "global_write_before": r"write_at.*global_store_dword.*writes 4 bytes at 0x[0-9a-f]+",
    "global_misaligned": r"write_misaligned.*_store_dword.*not aligned",
    "use_after_free": r"read_at.*reads 4 bytes at 0x[0-9a-f]+",
    "local_beyond": r"local_at.*(flat_load|ds_read).*LDS address 0x100",
    "local_misaligned": r"local_misaligned.*LDS address 0x2, which is not a multiple of 4",
    "local_unwritten": r"local_unwritten.*LDS byte 0x100 that nobody has written",
    "race_read_behind_write": r"race_read_behind_write.*wave \d.*barrier",
    "race_write_behind_read": r"race_write_behind_read.*wave \d.*barrier",
    "race_of_writes": r"race_of_writes.*wave \d.*barrier",
    "barrier_of_one_wave": r"1 of the 2 waves of workgroup .*barrier_of_one_wave.* wait at a barrier",
    # Threads of the host share the workgroups: which of them is last in reverse order is theirs.
    "last_workgroup": r"last_workgroup.*becomes 0x00000007 in one order .* and 0x0000000[0-6] in the other",
    "last_wave": r"last_wave.*becomes 0x000000c0 in one order .* and 0x00000000 in the other",
    "unwritten_register": r"unwritten_register.*becomes 0xffffffff in one order",
    "wait_for_ever": r"wait_for_ever.*waits in a loop",
    "unknown_instruction": r"unknown_instruction.*s_sendmsg.*not emulated",
}
NOT_FOUND = ["none", "sum_of_all", "wait_for_other_wave"]
OF_THE_HOST = {
    "missing_synchronisation": "before 7, behind 5",
    "unwritten_memory": "0xffffffff",
    "unknown_function": "hipErrorNotSupported",
}


def run(fault, target, order):
    environment = dict(os.environ, LD_LIBRARY_PATH=EMULATOR, STEELYARD_EMULATE=target,
                       STEELYARD_EMULATE_ORDER=order)
    return subprocess.run([PROGRAM, fault], env=environment, capture_output=True, text=True,
                          timeout=120, check=False)


class Faults(unittest.TestCase):
    def check(self, faults, order, judge):
        """judge(fault, outcome) on every target."""
        for target in TARGETS:
            for fault in faults:
                with self.subTest(fault=fault, target=target, order=order):
                    judge(fault, run(fault, target, order))

    def test_every_fault_is_expected_to_be_found_or_not(self):
        listed = subprocess.run([PROGRAM, "--list"], capture_output=True, text=True, check=True,
                                env=dict(os.environ, LD_LIBRARY_PATH=EMULATOR)).stdout.split()
        self.assertEqual(sorted(listed),
                         sorted([*FOUND, *NOT_FOUND, *OF_THE_HOST, "host_access"]))

    def test_faults_are_found_named_and_stay(self):
        def judge(fault, outcome):
            self.assertRegex(outcome.stdout, LOST)
            self.assertTrue(re.search(FOUND[fault], outcome.stderr, re.DOTALL), outcome.stderr)
        self.check(FOUND, "both", judge)

    def test_correct_kernels_pass_in_every_order(self):
        def judge(_, outcome):
            self.assertEqual(outcome.stderr, "")
            self.assertRegex(outcome.stdout, FINE)
        for order in ["forward", "reverse", "both"]:
            self.check(NOT_FOUND, order, judge)

    def test_one_order_alone_hides_what_depends_on_it(self):
        for order in ["forward", "reverse"]:
            self.check(["last_workgroup"], order,
                       lambda _, outcome: self.assertRegex(outcome.stdout, FINE))

    def test_the_host_sees_what_it_waited_for(self):
        self.check(OF_THE_HOST, "forward", lambda fault, outcome: self.assertEqual(
            outcome.stdout.strip(), OF_THE_HOST[fault]))

    def test_a_function_that_is_not_emulated_is_named(self):
        self.check(["unknown_function"], "forward",
                   lambda _, outcome: self.assertIn("hipModuleLoad", outcome.stderr))

    def test_device_memory_is_not_the_hosts(self):
        self.check(["host_access"], "forward",
                   lambda _, outcome: self.assertEqual(outcome.returncode, -signal.SIGSEGV))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=1)
