#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the rules of style that a program can check."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

LONGEST_FILE = 400
LONGEST_README = 150
CLANG_FORMAT = "14"  # other versions lay out some lines otherwise
CPP = {".h", ".cpp", ".cu"}
COMMENT_SIGN = {**dict.fromkeys(CPP, "//"), ".py": "#", ".sh": "#", ".cmake": "#", "run": "#",
                "CMakeLists.txt": "#"}
VAGUE_NAMES = {"utils", "util", "common", "helpers", "helper", "misc"}

# The words below are split, so that this file obeys its own rules.
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
# Absolute paths of one machine; /work/flops and its like are JSON pointers into result files.
PRIVATE_PATH = re.compile(r"(?<![\w.<}/-])/(?!work/(?:flops|bytes|steps)\b)"
                          r"(?:work|home|root|Users)/" r"\w")
# How the work is organised is nothing that a reader of the sources can look up.
ORGANISATION = re.compile(r"\b(?:work" r"tree|work" r"place|mile" r"stone|issue #" r"\d+)",
                          re.IGNORECASE)


def sources(root):
    """Tracked and new text files, without what git ignores; every file where there is no git."""
    listing = subprocess.run(["git", "-c", f"safe.directory={root}", "-C", root, "ls-files", "-z",
                              "--cached", "--others", "--exclude-standard"],
                             capture_output=True, check=False)
    if listing.returncode == 0:
        names = sorted({name for name in listing.stdout.decode().split("\0") if name})
    else:
        names = sorted(file.relative_to(root).as_posix() for file in root.rglob("*"))
    return [name for name in names if (root / name).is_file()]


def comment_sign(name):
    path = Path(name)
    return COMMENT_SIGN.get(path.name) or COMMENT_SIGN.get(path.suffix)


def line_faults(name, text):
    for number, line in enumerate(text.splitlines(), 1):
        if "\t" in line:
            yield f"{name}:{number}: a tab; indent with spaces"
        if UNFINISHED.search(line):
            yield f"{name}:{number}: {UNFINISHED.search(line).group()}: finish it or leave it out"
        if PRIVATE_PATH.search(line):
            yield f"{name}:{number}: a path of one machine; make it relative or an option"
        if ORGANISATION.search(line):
            yield f"{name}:{number}: {ORGANISATION.search(line).group()}: say it to a stranger"


def file_faults(name, text):
    lines = text.splitlines()
    sign = comment_sign(name)
    if sign:
        first = lines[1:2] if lines and lines[0].startswith("#!") else lines[:1]
        if first != [f"{sign} SPDX-License-Identifier: Apache-2.0"]:
            yield f"{name}:1: the first line must be {sign} SPDX-License-Identifier: Apache-2.0"
        if len(lines) > LONGEST_FILE:
            yield f"{name}: {len(lines)} lines, at most {LONGEST_FILE}: split it by concept"
    if name.endswith(".h") and "#pragma once" not in lines:
        yield f"{name}: no #pragma once"
    if name == "README.md" and len(lines) > LONGEST_README:
        yield f"{name}: {len(lines)} lines, at most {LONGEST_README}"
    if VAGUE_NAMES & {part.lower() for part in Path(name).with_suffix("").parts}:
        yield f"{name}: the name says nothing; name the concept"
    if text and not text.endswith("\n"):
        yield f"{name}: no newline at the end"
    if name != "LICENSE":
        yield from line_faults(name, text)


def tool_faults(root, command, files):
    outcome = subprocess.run(command + files, cwd=root, capture_output=True, text=True, check=False)
    if outcome.returncode:
        yield f"{' '.join(command)} complains:\n{outcome.stdout}{outcome.stderr}"


def clang_format():
    """The program of the right version, or None."""
    for program in (f"clang-format-{CLANG_FORMAT}", "clang-format"):
        if shutil.which(program):
            version = subprocess.check_output([program, "--version"], text=True)
            if f"version {CLANG_FORMAT}." in version:
                return program
    return None


def layout_faults(root, names):
    program = clang_format()
    if program is None:
        print(f"style: there is no clang-format {CLANG_FORMAT}; the layout of C++ is not checked")
        return
    files = [name for name in names if Path(name).suffix in CPP]
    if files:
        yield from tool_faults(root, [program, "--dry-run", "-Werror"], files)


def shell_faults(root, names):
    if not shutil.which("shellcheck"):
        print("style: there is no shellcheck; shell scripts are not checked by it")
        return
    files = [name for name in names if comment_sign(name) == "#" and
             (root / name).read_text(encoding="utf-8").startswith("#!/usr/bin/env bash")]
    if files:
        yield from tool_faults(root, ["shellcheck"], files)


def faults(root, names):
    for name in names:
        try:
            yield from file_faults(name, (root / name).read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            yield f"{name}: not UTF-8"
    yield from layout_faults(root, names)
    yield from shell_faults(root, names)


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    found = list(faults(root, sources(root)))
    print("\n".join(found) or "style: nothing to complain about")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
