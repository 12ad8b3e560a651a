"""Sums up what test programs reported, and shows what failed.

    count.py FILE...

A FILE is JUnit XML, or a text whose last line is `N passed, N failed[, N skipped]`. The last line printed
is the sum in that form; the exit status is 1 if anything failed.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

COUNTS = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")
SHOWN_LINES = 40


def verdict(case):
    """ctest marks a test whose program is missing as skipped: that one has failed. One that skipped itself says so."""
    skipped = case.find("skipped")
    if skipped is not None and skipped.get("message") == "SKIP_REGULAR_EXPRESSION_MATCHED":
        return "skipped"
    if case.get("status") == "notrun" or case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if skipped is not None else "passed"


def show(case):
    texts = [case.findtext(tag) or "" for tag in ("failure", "error", "system-out")]
    lines = "\n".join(filter(None, texts)).strip().splitlines()
    print(f"failed: {case.get('classname')}: {case.get('name')}")
    for line in lines[-SHOWN_LINES:]:
        print(f"  {line}")


def count_junit(path):
    counts = Counter()
    for case in ElementTree.parse(path).iter("testcase"):
        result = verdict(case)
        counts[result] += 1
        if result == "failed" and "pytest" not in path.name:  # pytest has shown its own
            show(case)
    return counts


def count_text(path):
    lines = path.read_text(errors="replace").strip().splitlines()
    match = COUNTS.search(lines[-1]) if lines else None
    if not match:
        print(f"failed: {path.stem} ended without saying how many passed")
        return Counter(failed=1)
    passed, failed, skipped = (int(group or 0) for group in match.groups())
    return Counter(passed=passed, failed=failed, skipped=skipped)


def main(arguments):
    total = Counter()
    for path in map(Path, arguments):
        counts = count_junit(path) if path.suffix == ".xml" else count_text(path)
        print(f"{path.stem}: {counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
        total += counts
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    print(f"{total['passed']} passed, {total['failed']} failed{skipped}")
    return 1 if total["failed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
