#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_stubs.py LIBRARY STUBS VERSIONS: every function of the real HIP runtime as a weak one that says that
it is not emulated, and the version script with which the linker gives them the versions they have there."""
import re
import subprocess
import sys
from collections import defaultdict

STUB = """extern "C" __attribute__((weak)) int {0}() {{ return amd_emulator_lacks("{0}"); }}
"""


def functions(library):
    """Names and versions."""
    listing = subprocess.check_output(["nm", "-D", "--defined-only", library], text=True)
    return sorted(set(re.findall(r" [TW] ((?:__)?hip\w+)@@?(\w+[.\w]*)", listing)))


def main():
    library, stubs, versions = sys.argv[1:]
    nodes = defaultdict(list)
    for name, version in functions(library):
        nodes[version].append(name)
    if not nodes:
        sys.exit(f"make_stubs.py: {library} has no versioned HIP function")
    with open(stubs, "w", encoding="utf-8") as file:
        file.write("extern \"C\" int amd_emulator_lacks(const char* function);\n")
        file.writelines(STUB.format(name) for names in nodes.values() for name in names)
    with open(versions, "w", encoding="utf-8") as file:
        for number, (version, names) in enumerate(sorted(nodes.items())):
            hidden = " local: *;" if number == 0 else ""
            file.write(f"{version} {{ global: {'; '.join(names)};{hidden} }};\n")


if __name__ == "__main__":
    main()
