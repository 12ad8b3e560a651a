"""tools/dev/count.py, on whose last line CI relies."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("CARREL_ROOT", Path(__file__).resolve().parents[2]))

PASSED = '<testcase name="a" classname="c" status="run"/>'
FAILED = '<testcase name="b" classname="c" status="fail"><failure message="no"/><system-out>why</system-out></testcase>'
BROKEN = '<testcase name="b" classname="c"><error message="set-up">why</error></testcase>'
SKIPPED = '<testcase name="c" classname="c"><skipped message="not here"/></testcase>'
NOT_RUN = '<testcase name="d" classname="c" status="notrun"><skipped message="Unable to find executable"/></testcase>'

SKIPPED_ITSELF = (
    '<testcase name="e" classname="c" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/></testcase>'
)


def count(folder, **files):
    for name, text in files.items():
        suffix = ".xml" if text.startswith("<") else ".txt"
        (folder / (name + suffix)).write_text(text)
    arguments = [sys.executable, ROOT / "tools/dev/count.py", *sorted(folder.iterdir())]
    done = subprocess.run(arguments, capture_output=True, text=True)
    return done.returncode, done.stdout.strip().splitlines()


def junit(*cases):
    return f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>"


@pytest.mark.parametrize(
    "text, last, status",
    [
        (junit(PASSED, FAILED), "1 passed, 1 failed", 1),
        (junit(BROKEN), "0 passed, 1 failed", 1),
        (junit(PASSED, NOT_RUN), "1 passed, 1 failed", 1),
        ("ok\n3 passed, 2 failed\n", "3 passed, 2 failed", 1),
        ("killed half-way\n", "0 passed, 1 failed", 1),
        ("5 passed, 0 failed\nand then a crash\n", "0 passed, 1 failed", 1),
        ("conformance: 5 passed, 0 failed, 1 skipped\n", "5 passed, 0 failed, 1 skipped", 0),
        (junit(PASSED, SKIPPED), "1 passed, 0 failed, 1 skipped", 0),
        (junit(), "0 passed, 0 failed", 0),
    ],
)
def test_a_report_is_counted(tmp_path, text, last, status):
    returned, lines = count(tmp_path, report=text)
    assert lines[-1] == last
    assert returned == status


def test_reports_add_up_and_a_failure_shows_its_output(tmp_path):
    returned, lines = count(tmp_path, unit=junit(PASSED, FAILED), cases="4 passed, 0 failed\n", pytest=junit(PASSED))
    assert "failed: c: b" in lines and "  why" in lines
    assert lines[-1] == "6 passed, 1 failed"
    assert returned == 1


def test_a_test_that_skipped_itself_is_skipped(tmp_path):
    status, lines = count(tmp_path, unit=junit(PASSED, SKIPPED_ITSELF))
    assert (status, lines[-1]) == (0, "1 passed, 0 failed, 1 skipped")
