"""The documentation's links."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(os.environ.get("CARREL_ROOT", Path(__file__).resolve().parents[2]))
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def pages():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def links(page):
    for target in LINK.findall(re.sub(r"```.*?```", "", page.read_text(), flags=re.S)):
        if "://" not in target and not target.startswith("mailto:"):
            yield target, (page.parent / target).resolve()


def test_every_relative_link_leads_somewhere():
    broken = [f"{page.relative_to(ROOT)}: {name}" for page in pages() for name, to in links(page) if not to.exists()]
    assert not broken, "\n".join(broken)


def test_the_index_names_every_page_of_docs():
    index = ROOT / "docs/README.md"
    named = {to for _, to in links(index)}
    lost = [str(page.relative_to(ROOT)) for page in pages() if page.is_relative_to(ROOT / "docs") and page not in named]
    assert [name for name in lost if name != "docs/README.md"] == []
