#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""html_report_test.py behaviour|accessibility STEELYARD GENERATOR FOLDER: HTML reports in Chromium.

Pictures of them are left in FOLDER."""

import base64
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

from chromium import Page

hostile = "</script><img src=x onerror=document.title='run'>\u202e"


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def axe_core():
    """As scripts/axe_core.sh installs it."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    return cache / "steelyard" / "node_modules" / "axe-core" / "axe.min.js"


def make_reports(steelyard, generator, folder):
    """One result with a hostile label, and two side by side."""
    folder.mkdir(parents=True, exist_ok=True)
    results = [folder / "a.json", folder / "b.json"]
    for seed, result in enumerate(results, start=1):
        subprocess.run([generator, "40", "12", str(seed), result], check=True)
    data = json.loads(results[0].read_text())
    data["context"]["steelyard"]["labels"] = {"rack": hostile}
    results[0].write_text(json.dumps(data))
    one, two = folder / "one.html", folder / "two.html"
    for report, inputs in ((one, results[:1]), (two, results)):
        subprocess.run([steelyard, "report", *inputs, "--format", "html", "--embed", "-o", report], check=True)
    times = {row["steelyard"]["id"]: row["real_time"] for row in data["benchmarks"]}
    return one, two, times


SUMMARY = "document.querySelector('.box[aria-label=gemm]')"


def column(page, index):
    return page.run(f"Array.from({SUMMARY}.querySelectorAll('tbody tr:not([hidden])'), "
                    f"(row) => row.cells[{index}].textContent)")


def orders(page):
    return page.run(f"Array.from({SUMMARY}.querySelectorAll('thead th'), (one) => one.ariaSort)")


def check_sorting(page, times):
    headings = page.run(f"Array.from({SUMMARY}.querySelectorAll('thead th'), (one) => one.innerText.trim())")
    median = next(i for i, heading in enumerate(headings) if heading.startswith("median"))
    before = column(page, 0)
    assert set(before) == set(times), "the report lost rows"
    page.run(f"{SUMMARY}.querySelectorAll('thead button')[{median}].focus()")
    page.press("Enter", 13)
    # Printed times have four digits: rows that look alike keep their order, which the exact ones break.
    assert [round_time(times[one]) for one in column(page, 0)] == sorted(round_time(t) for t in times.values())
    assert orders(page)[median] == "ascending" and orders(page).count("none") == len(headings) - 1
    page.press("Enter", 13)
    assert [round_time(times[one]) for one in column(page, 0)] == sorted(
        (round_time(t) for t in times.values()), reverse=True)
    assert orders(page)[median] == "descending"
    page.press("Enter", 13)
    assert column(page, 0) == before and set(orders(page)) == {"none"}
    page.run(f"{SUMMARY}.querySelectorAll('thead button')[0].click()")  # names, with their numbers as numbers
    assert column(page, 0) == sorted(times, key=lambda one: int(one.split("/")[-1].split("x")[0]))


def round_time(time):
    return float(f"{time:.3e}")


def check_filtering(page, times):
    page.run(f"{SUMMARY}.previousElementSibling.querySelector('input').focus()")
    page.type("3X64 onednn")
    expected = [one for one in times if "3x64" in one]
    assert 0 < len(expected) < len(times)
    assert sorted(column(page, 0)) == sorted(expected)
    count = page.run(f"{SUMMARY}.previousElementSibling.querySelector('output').textContent")
    assert count == f"{len(expected)} of {len(times)} rows", count
    page.type(" nothing has this")
    assert column(page, 0) == []


def brightness(page):
    colour = page.run("getComputedStyle(document.body).backgroundColor")
    return sum(int(part) for part in colour.strip("rgba()").split(",")[:3]) / 3


def check_colours(page):
    assert brightness(page) > 200
    page.media(colours="dark")
    assert brightness(page) < 60
    assert page.run("document.querySelector('.theme').ariaPressed") == "true"
    page.run("document.querySelector('.theme').click()")
    assert brightness(page) > 200 and page.run("document.querySelector('.theme').ariaPressed") == "false"
    page.media(colours="light")
    page.run("document.querySelector('.theme').click()")
    assert brightness(page) < 60
    page.media(kind="print")
    assert brightness(page) > 200, "paper is white"
    assert page.run("getComputedStyle(document.querySelector('.filter')).display") == "none"
    page.media()


def check_width(page):
    page.resize(390, 844)
    assert page.run("document.documentElement.scrollWidth") <= 390, "the page scrolls sideways"
    assert page.run("Array.from(document.querySelectorAll('.box')).some((box) => box.scrollWidth > 390)")
    page.resize(1280, 900)


def check_keyboard(page):
    page.press("Tab", 9)
    assert page.run("document.activeElement.className") == "skip"
    assert page.run("document.activeElement.getBoundingClientRect().left") >= 0, "it can be seen"
    page.press("Enter", 13)
    page.press("Tab", 9)
    assert page.run("document.querySelector('main').contains(document.activeElement)")


def check_hostile(page):
    assert page.run("document.images.length") == 0
    assert "\\u202e" in page.run("document.querySelector('main').textContent")
    assert "onerror" in page.run("document.querySelector('main').textContent")
    assert page.run("document.title") == "Steelyard report"


def check_embedded(report, result):
    page = report.read_text()
    assert base64.b64encode(result.read_bytes()).decode() in page
    digest = hashlib.sha256(result.read_bytes()).hexdigest()
    assert page.count(digest) == 2, "in the table of files and beside the link"


def check_policy(page):
    """What the escapers would miss, the policy stops. Its complaints are the last of the page."""
    page.run("document.body.insertAdjacentHTML('beforeend', "
             "'<img src=x onerror=\"document.title = 1\"><p id=styled style=\"color: red\">')")
    assert page.run("new Promise((done) => setTimeout(() => done(document.title), 300))") == "Steelyard report"
    assert page.run("document.getElementById('styled').style.color") == ""
    assert page.errors, "the policy has said nothing"


def behaviour(one, two, times, folder):
    with Page() as page:
        page.resize(1280, 900)
        page.media()
        for report in (two, one):
            page.open(report)
            for width, colours in ((1280, "light"), (1280, "dark"), (390, "light")):
                page.resize(width, 2000)
                page.media(colours=colours)
                page.picture(folder / f"{report.stem}-{width}-{colours}.png")
            page.resize(1280, 900)
            page.media()
            check_width(page)
        check_keyboard(page)
        check_hostile(page)
        check_embedded(one, folder / "a.json")
        check_sorting(page, times)
        check_filtering(page, times)
        check_colours(page)
        assert not page.errors, page.errors
        check_policy(page)
    print(f"two reports; {len(times)} rows sorted and filtered; no error on the console")


def accessibility(one, two, _, __):
    source = axe_core().read_text(encoding="utf-8")
    found, passed = [], 0
    with Page() as page:
        for report in (one, two):
            for width, colours in ((1280, "light"), (1280, "dark"), (390, "light")):
                page.resize(width, 900)
                page.media(colours=colours)
                page.open(report)
                page.run(source)
                outcome = page.run("axe.run().then(({violations, passes}) => ({passes: passes.length, violations: "
                                   "violations.map(({id, impact, nodes}) => [id, impact, nodes[0].html])}))")
                passed += outcome["passes"]
                found += [(report.name, width, colours, *one) for one in outcome["violations"]]
    for violation in found:
        print(*violation)
    assert passed > 0, "axe-core has looked at nothing"
    assert not [one for one in found if one[4] in ("serious", "critical")]
    print(f"axe-core: {passed} passed, {len(found)} violations, none of them serious")


def main():
    which, steelyard, generator, folder = sys.argv[1:]
    if not shutil.which("chromium"):
        skip("chromium is not installed; scripts/setup.sh --browser installs it")
    try:
        import websocket  # noqa: F401
    except ImportError:
        skip("python3-websocket is not installed; scripts/setup.sh --browser installs it")
    if which == "accessibility" and not axe_core().exists():
        skip("axe-core is not installed; scripts/axe_core.sh installs it")
    folder = pathlib.Path(folder)
    one, two, times = make_reports(steelyard, generator, folder)
    {"behaviour": behaviour, "accessibility": accessibility}[which](one, two, times, folder)


main()
