#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Plants one fault at a time in a small source tree; a check must find it and nothing else."""
import importlib.util
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
SPDX = "// SPDX-License-Identifier: Apache-2.0\n"
CLEAN = {
    "backends/backend.h": SPDX + "#pragma once\n",
    "backends/cpu/run.cpp": SPDX + '#include "backends/backend.h"\n',
    "backends/gpu/vendor_cuda.h": SPDX + "#pragma once\n#include <cuda_runtime.h>\n",
    "bench/measure.cpp": SPDX + '#include "reports/record.h"\n',
    "reports/record.h": SPDX + "#pragma once\n// As cudaMalloc does, at /work/flops.\n",
    "scripts/peer.cpp": SPDX + '#include "backends/cpu/run.h"\n',
    "README.md": "Steelyard\n",
}


def check(script, changes):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**CLEAN, **changes}.items():
            file = Path(folder, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return subprocess.run([sys.executable, SCRIPTS / script, folder],
                              capture_output=True, text=True, check=False)


def style():
    spec = importlib.util.spec_from_file_location("check_style", SCRIPTS / "check_style.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Checks(unittest.TestCase):
    def assert_found(self, script, name, text, message):
        outcome = check(script, {name: text})
        self.assertEqual(outcome.returncode, 1, outcome.stdout + outcome.stderr)
        complaints = [line for line in outcome.stdout.splitlines() if line.startswith(name)]
        self.assertEqual(len(complaints), 1, outcome.stdout)
        self.assertIn(message, complaints[0])

    def test_the_clean_tree_passes(self):
        for script in ("check_layering.py", "check_style.py"):
            outcome = check(script, {})
            self.assertEqual(outcome.returncode, 0, outcome.stdout + outcome.stderr)


class Layering(Checks):
    def assert_found_in(self, name, code, message):
        with self.subTest(name=name, code=code):
            self.assert_found("check_layering.py", name, f"{SPDX}{code}\n", message)

    def test_includes_across_layers_are_found(self):
        for name, target in (("reports/a.cpp", "backends/backend.h"),
                             ("backends/a.cpp", "reports/record.h"),
                             ("backends/a.cpp", "backends/cpu/run.h"),
                             ("backends/cpu/a.cpp", "bench/run.h"),
                             ("backends/gpu/a.cu", "backends/cuda/b.h"),
                             ("backends/hip/a.cpp", "backends/cuda/b.h"),
                             ("bench/a.cpp", "backends/cpu/run.h"),
                             ("bench/a.cpp", "reports/layout.h"),
                             ("scripts/a.cpp", "reports/compare.h")):
            self.assert_found_in(name, f'#include "{target}"', "may not include " + target)

    def test_includes_beside_a_file_are_resolved(self):
        self.assert_found_in("reports/a.cpp", '#include "../backends/backend.h"',
                             "may not include backends/backend.h")

    def test_vendor_names_outside_their_folders_are_found(self):
        for code in ("cudaMalloc(&p, 1);", "hipFree(p);", "cublasLtHandle_t h;", "cudnnHandle_t h;",
                     "nvmlInit_v2();", "hipblasLtCreate(&h);", "rocblas_handle h;",
                     "amdsmi_init(0);", "ncclAllReduce();", "rcclAllReduce();",
                     "__builtin_amdgcn_s_barrier();", "cuInit(0);", "HIP_CHECK(x);"):
            self.assert_found_in("backends/gpu/a.cu", code, "a vendor's name")

    def test_vendor_headers_outside_their_folders_are_found(self):
        self.assert_found_in("bench/a.cpp", "#include <hip/hip_runtime.h>", "a vendor's header")

    def test_inline_assembly_outside_its_files_is_found(self):
        for code in ('asm("mov");', 'asm volatile("mov");', '__asm__ __volatile__ ("mov");'):
            self.assert_found_in("backends/gpu/a.cu", code, "inline assembly")

    def test_comments_and_strings_may_name_vendors(self):
        text = SPDX + '// cudaMalloc\n/* hipFree\n asm( */\nconst char* s = "cublasLtCreate // ";\n'
        self.assertEqual(check("check_layering.py", {"bench/a.cpp": text}).returncode, 0)

    def test_a_fault_after_a_comment_of_many_lines_is_placed(self):
        self.assert_found_in("bench/a.cpp", "/* 2\n3 */\nhipFree(p);", "bench/a.cpp:4:")


class Style(Checks):
    def test_faults_are_found(self):
        for name, text, message in (
                ("bench/a.cpp", "int x;\n", "SPDX"),
                ("bench/a.h", SPDX + "int x();\n", "#pragma once"),
                ("bench/a.cpp", SPDX + "//\n" * 400, "401 lines"),
                ("bench/utils.cpp", SPDX, "says nothing"),
                ("bench/helpers/a.cpp", SPDX, "says nothing"),
                ("bench/a.cpp", SPDX + "// TO" "DO\n", "finish it"),
                ("bench/a.cpp", SPDX + "// FIX" "ME\n", "finish it"),
                ("bench/a.cpp", SPDX + "// See issue" " #7.\n", "say it to a stranger"),
                ("bench/a.cpp", SPDX + "// The next Mile" "stone.\n", "say it to a stranger"),
                ("bench/a.cpp", SPDX + "//", "newline"),
                ("scripts/a.py", "# SPDX-License-Identifier: Apache-2.0\n\tx = 1\n", "tab"),
                ("scripts/b.py", "#!/usr/bin/env python3\nx = 1\n", "SPDX"),
                ("reports/data/a.json", "{}", "newline"),
                ("bench/METHOD.md", "See /ho" "me/me/notes.\n", "path of one machine"),
                ("README.md", "line\n" * 151, "151 lines")):
            with self.subTest(name=name, message=message):
                self.assert_found("check_style.py", name, text, message)

    @unittest.skipUnless(style().clang_format(), "needs that version of clang-format")
    def test_another_layout_is_found(self):
        outcome = check("check_style.py", {"bench/a.cpp": SPDX + "int  x ;\n",
                                           ".clang-format": "BasedOnStyle: Google\n"})
        self.assertEqual(outcome.returncode, 1, outcome.stdout)
        self.assertIn("bench/a.cpp:2:4: error: code should be clang-formatted", outcome.stdout)


if __name__ == "__main__":
    unittest.main()
