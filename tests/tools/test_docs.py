"""The documentation's links."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(os.environ.get("CARREL_ROOT", Path(__file__).resolve().parents[2]))
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def files(*patterns):
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *patterns],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def pages():
    return [ROOT / name for name in files("*.md")]


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


def text_of(name):
    return (ROOT / name).read_text()


def test_the_readme_begins_with_the_two_commands_and_the_licence_is_named():
    code = [line.split()[:2] for line in text_of("README.md").splitlines() if line.startswith("    ")]
    assert code[:2] == [["./dev", "demo"], ["./dev", "test"]]
    assert "Apache-2.0" in text_of("README.md")


def test_the_page_of_errors_is_the_catalogue():
    entry = re.compile(r'^CARREL_ERROR\((\w+), (\d+), (\d+), "(.*)"\)$', re.M)
    row = re.compile(r"^\| `(\w+)` \| (\d+) \| (\d+) \| (.*?) \| .+ \|$", re.M)
    catalogue = entry.findall(text_of("src/base/errors.inc"))
    assert len(catalogue) == text_of("src/base/errors.inc").count("\nCARREL_ERROR(")
    assert row.findall(text_of("docs/reference/errors.md")) == catalogue


def test_every_function_of_wasi_is_described():
    names = re.findall(r'row<[^(]*>\(module, "(\w+)"\)', text_of("src/wasi/imports.cc"))
    assert len(names) == 46
    page = text_of("docs/reference/wasi.md").split("## The functions")[1]
    assert sorted(re.findall(r"`(\w+)`", "".join(re.findall(r"^\|([^|]*)\|", page, re.M)))) == sorted(names)


def test_every_key_that_is_read_is_described():
    read = re.compile(r"\b(?:table|root_|grants|owner)(?:\.|->)\w+\(\s*\"(\w+)\"|inner_path\(table, \"(\w+)\"")
    helpers = re.compile(r'read_(?:environment|limits)\(table, "(\w+)"')
    page = text_of("docs/reference/manifest.md")
    keys = set()
    for name in ("manifest", "callbacks", "case", "wagi"):
        source = text_of(f"src/app/{name}.cc")
        keys |= {one or other for one, other in read.findall(source)} | set(helpers.findall(source))
    assert {"source", "memory", "route", "body_json", "volumes", "max_age", "config"} <= keys
    assert sorted(key for key in keys if not re.search(rf"`\[*{key}\]*`|\[\[?{key}[\].]", page)) == []


def test_every_room_has_a_readme():
    folders = {Path(name).parent for name in files("src/*/CMakeLists.txt", "src/*/*/CMakeLists.txt")}
    folders |= {folder.parent for folder in folders}
    folders = {folder for folder in folders if folder != Path("src") and folder.parent.name != "abi"}
    assert len(folders) > 15
    assert sorted(str(folder) for folder in folders if not (ROOT / folder / "README.md").is_file()) == []
