#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills, interrupts and starves a bench program, and reads what it leaves behind.

usage: robustness_test.py FOLDER_OF_PROGRAMS SCRATCH_FOLDER
"""
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time
import unittest

PROGRAMS = pathlib.Path(sys.argv[1])
SCRATCH = pathlib.Path(sys.argv[2])
ROWS = ["-a", "op=chase", "-a", "bytes=4096,8192,16384,32768,65536,131072", "--min-samples", "6"]


def bench(file, *more, **how):
    command = [PROGRAMS / "steelyard-memory", *ROWS, "--json", file, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **how)


def rows(file):
    return json.loads(file.read_text())["benchmarks"] if file.exists() else []


def wait_for_rows(process, file, count):
    """Every state of the file that is seen on the way is valid JSON, or this raises."""
    while len(rows(file)) < count and process.poll() is None:
        time.sleep(0.002)


class Robustness(unittest.TestCase):
    def setUp(self):
        self.folder = SCRATCH / self.id().split(".")[-1]
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.file = self.folder / "out.json"

    def check_valid(self, least_rows):
        subprocess.run([PROGRAMS / "steelyard", "validate", self.file], check=True,
                       stdout=subprocess.DEVNULL)
        self.assertGreaterEqual(len(rows(self.file)), least_rows)

    def check_complaint(self, errors, *words):
        complaints = [line for line in errors.splitlines() if b": warning: " not in line]
        self.assertEqual(len(complaints), 1, errors)  # what else runs here is warned of beside it
        for word in words:
            self.assertIn(word, errors)

    def test_kill_leaves_the_finished_rows_in_a_valid_file(self):
        for finished in (0, 1, 3):
            with self.subTest(finished=finished):
                self.file.unlink(missing_ok=True)
                process = bench(self.file)
                wait_for_rows(process, self.file, finished)
                process.kill()
                process.communicate()
                if finished:
                    self.check_valid(finished)

    def test_interrupt_saves_and_exits_with_130(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number=number):
                self.file.unlink(missing_ok=True)
                process = bench(self.file)
                wait_for_rows(process, self.file, 1)
                process.send_signal(number)
                process.communicate()
                self.assertEqual(process.returncode, 130)
                self.check_valid(1)
                self.assertEqual([f.name for f in self.folder.iterdir()], ["out.json"])

    def test_interrupt_ends_repetitions(self):
        process = bench(self.file, "--repetitions", "50")
        wait_for_rows(process, self.file, 1)
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertEqual(process.returncode, 130)
        self.check_valid(1)

    def test_repetitions_are_processes_in_one_file(self):
        process = bench(self.file, "--repetitions", "3", "--filter", "/4KiB/")
        output = process.communicate()[0]
        self.assertIn(b"Where the median of another run lies", output)
        self.assertEqual(process.returncode, 0)
        self.check_valid(3)
        found = rows(self.file)
        self.assertEqual([row["repetition_index"] for row in found], [0, 1, 2])
        self.assertEqual({row["repetitions"] for row in found}, {3})
        self.assertEqual(len({row["name"] for row in found}), 1)

    def test_full_disk_keeps_the_rows_that_fit(self):
        sizes = []  # of a file with one row and with all
        for selection in (["--filter", "/4KiB/"], []):
            bench(self.file, *selection).communicate()
            sizes.append(self.file.stat().st_size)
        self.file.unlink()

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (sum(sizes) // 2, sum(sizes) // 2))

        process = bench(self.file, preexec_fn=limit)
        _, errors = process.communicate()
        self.assertEqual(process.returncode, 2)
        self.check_complaint(errors, str(self.file).encode(), b"File too large")
        self.check_valid(1)
        self.assertEqual([f.name for f in self.folder.iterdir()], ["out.json"])

    def test_unwritable_output_is_found_before_anything_is_measured(self):
        for file in ("/proc/out.json", str(self.folder), "/dev/null"):
            process = bench(file)
            output, errors = process.communicate()
            self.assertEqual(process.returncode, 2)
            self.check_complaint(errors, file.encode())
            self.assertEqual(output, b"")

    def test_hostile_labels_stay_text(self):
        process = bench(self.file, "--filter", "/4KiB/", "--label", b"note=\xff</script>\x1b[31m")
        process.communicate()
        self.assertEqual(process.returncode, 0)
        self.check_valid(1)
        labels = json.loads(self.file.read_text())["context"]["steelyard"]["labels"]
        self.assertEqual(labels, {"note": "\ufffd</script>\x1b[31m"})

    def test_the_command_that_reproduces_a_row_makes_that_row(self):
        bench(self.file, "--filter", "/8KiB/").communicate()
        row = rows(self.file)[0]
        again = self.folder / "again.json"
        command = row["steelyard"]["reproduce"] + f" --json '{again}'"
        subprocess.run(command, shell=True, check=True, stdout=subprocess.DEVNULL,
                       env={**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"})
        self.assertEqual([r["name"] for r in rows(again)], [row["name"]])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
