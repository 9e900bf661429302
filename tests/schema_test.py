#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""schema_test.py FOLDER: judges the files of schema_corpus by python3-jsonschema, under both drafts
whose common subset schema.json keeps to, and compares with the verdicts that stand beside them."""

import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)

folder = pathlib.Path(sys.argv[1])
schema = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
verdicts = [line.split() for line in (folder / "verdicts.txt").read_text().splitlines()]
assert {verdict for _, verdict in verdicts} == {"valid", "invalid"}, "the corpus is one-sided"

disagreements = 0
for draft in (jsonschema.Draft7Validator, jsonschema.Draft202012Validator):
    draft.check_schema(schema)
    validator = draft(schema)
    for name, verdict in verdicts:
        document = json.loads((folder / name).read_text(encoding="utf-8"))
        faults = [f"/{'/'.join(map(str, e.absolute_path))}: {e.message[:120]}"
                  for e in validator.iter_errors(document)]
        if bool(faults) != (verdict == "invalid"):
            disagreements += 1
            print(f"{draft.__name__}: {name}: valijson says {verdict}, jsonschema {faults or 'valid'}")

print(f"{len(verdicts)} files under 2 drafts, {disagreements} disagreements")
sys.exit(disagreements > 0)
