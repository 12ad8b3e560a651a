"""A node's store from the command line: exports and imports, backups."""

import base64
import json
import random

import pytest
import requests
from wat import guest

from support import App, Server

PART = 1 << 20
LATER = 4_000_000_000_000


def line(**fields):
    return json.dumps(fields)


def record(name, kind="kv", app="shop", **content):
    return line(app=app, kind=kind, store="things", name=name, **content)


def export_of(*records):
    return "\n".join(['{"carrel_export":1}', *records, '{"end":true}']) + "\n"


def base64_of(content):
    return base64.b64encode(content).decode()


def blob(name, content):
    parts = [content[at : at + PART] for at in range(0, len(content), PART)]
    return [record(name, "blob", size=len(content)), *(line(part64=base64_of(part)) for part in parts)]


@pytest.fixture
def records():
    dice = random.Random(7)
    return [
        record("a/b", value="text\nand \u0000 and \u00e9", expires=LATER),
        record("/", value=""),
        record("count", "counter", count=-(2**63)),
        record("other", app="blog", value="y"),
        line(
            app="shop", kind="kv", store="things", name64="/wA=", value64=base64.b64encode(dice.randbytes(999)).decode()
        ),
        *blob("large", dice.randbytes(2 * PART + 5)),
        *blob("empty", b""),
    ]


def counts(done):
    return json.loads(done.stdout)


def test_what_was_exported_and_imported_is_exported_alike(run_carrel, tmp_path, records):
    one, two = tmp_path / "one", tmp_path / "two"
    done = run_carrel("store", "import", "--state", one, "--json", input=export_of(*records))
    assert done.returncode == 0, done.stderr
    assert counts(done) == {"values": 4, "counters": 1, "blobs": 2, "replaced": 0, "skipped": 0, "expired": 0}

    file = tmp_path / "export.jsonl"
    done = run_carrel("store", "export", "--state", one, "--file", file)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "left out: 0 secrets" in done.stderr
    assert sorted(map(parsed, file.read_text().splitlines())) == sorted(map(parsed, export_of(*records).splitlines()))
    assert file.stat().st_mode & 0o777 == 0o600
    assert run_carrel("store", "export", "--state", one, "--file", file).returncode == 1

    done = run_carrel("store", "import", "--state", two, "--file", file)
    assert done.returncode == 0, done.stderr
    check = run_carrel("store", "check", "--state", two, "--json")
    assert check.returncode == 0, check.stdout
    assert json.loads(check.stdout)["blobs"] == 2
    again = run_carrel("store", "export", "--state", two)
    assert again.stdout == file.read_text()


def parsed(text):
    return json.dumps(json.loads(text), sort_keys=True)


def test_an_import_into_a_store_with_something_in_it_says_what_it_does(run_carrel, tmp_path):
    def imported(*arguments, input):
        return run_carrel("store", "import", "--state", tmp_path / "state", *arguments, input=input)

    assert imported(input=export_of(record("b", value="old"))).returncode == 0
    new = export_of(record("a", value="1"), record("b", value="2"), record("c", value="3"))
    refused = imported(input=new)
    assert refused.returncode == 1
    assert "line 3" in refused.stderr and "--existing" in refused.stderr
    assert "imported 1 values" in refused.stdout
    skipped = imported("--existing", "skip", "--json", input=new)
    assert (counts(skipped)["values"], counts(skipped)["skipped"]) == (1, 2)
    replaced = imported("--existing", "replace", "--json", input=new)
    assert counts(replaced)["replaced"] == 3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "cut short"),
        ("not json\n", "line 1"),
        ('{"carrel_export":9}\n', "version 9"),
        (export_of(record("n", "secret", value="v")), "line 2"),
        (export_of(record("n", "blob", size=5)), "lacks 5 bytes"),
        (export_of(record("n", value="v"))[:-5], "line 3"),
    ],
)
def test_a_bad_export_is_refused_with_its_line(run_carrel, tmp_path, text, says):
    done = run_carrel("store", "import", "--state", tmp_path / "state", input=text)
    assert done.returncode != 0
    assert says in done.stderr
    assert "help" in done.stderr


def test_an_export_is_of_one_app_or_a_backup_and_leaves_secrets_out(run_carrel, tmp_path, records):
    state = tmp_path / "state"
    app = App(tmp_path / "app", "shop").wat("page", guest()).route("GET /", "page")
    assert run_carrel("store", "import", "--state", state, input=export_of(*records)).returncode == 0
    with Server(["serve", app.folder, "--port", "0", "--admin", "127.0.0.1:0", "--state", state]) as server:
        headers = {"Authorization": f"Bearer {(state / 'token').read_text().strip()}"}
        url = f"http://127.0.0.1:{server.admin_port}/v1"
        name = f"{url}/tenants/shop/secrets/A_SECRET_NAME"
        secret = requests.put(name, headers=headers, data=b"hidden-word", timeout=20)
        assert secret.status_code == 204
        backup = tmp_path / "backup"
        made = requests.post(f"{url}/store:backup", headers=headers, json={"folder": str(backup)}, timeout=60)
        assert (made.status_code, made.json()) == (201, {"folder": str(backup)})
        assert (
            requests.post(f"{url}/store:backup", json={"folder": str(tmp_path / "no")}, timeout=20).status_code == 401
        )
        got = requests.get(f"{url}/store:backup", headers=headers, timeout=20)
        assert (got.status_code, got.headers["allow"]) == (405, "POST")
        bad = requests.post(f"{url}/store:backup", headers=headers, json={"folder": "here"}, timeout=20)
        assert bad.status_code == 400 and "absolute" in bad.json()["detail"]
        assert server.stop() == 0

    whole = run_carrel("store", "export", backup)
    assert whole.returncode == 0, whole.stderr
    assert "left out: 1 secrets" in whole.stderr
    assert "A_SECRET_NAME" not in whole.stdout and "hidden-word" not in whole.stdout
    assert len(whole.stdout.splitlines()) == len(records) + 2
    blog = run_carrel("store", "export", backup, "--app", "blog")
    assert blog.stdout == export_of(record("other", app="blog", value="y")).replace('": ', '":').replace(', "', ',"')
    nobody = run_carrel("store", "export", backup, "--app", "nobody")
    assert nobody.returncode == 1 and "nobody" in nobody.stderr


def test_a_backup_while_a_server_runs_is_made_by_it(run_carrel, tmp_path, records):
    state, backup = tmp_path / "state", tmp_path / "backup"
    app = App(tmp_path / "app", "shop").wat("page", guest()).route("GET /", "page")
    assert run_carrel("store", "import", "--state", state, input=export_of(*records)).returncode == 0
    command = ["serve", app.folder, "--port", "0", "--state", state]
    with Server([*command, "--admin", "127.0.0.1:0"]) as server:
        made = run_carrel("store", "backup", "backup", "--state", state, "--json", cwd=tmp_path)
        assert (made.returncode, json.loads(made.stdout)) == (0, {"backup": "backup"}), made.stderr
        again = run_carrel("store", "backup", backup, "--state", state)
        assert again.returncode == 1 and "exists already" in again.stderr
        (state / "token").rename(state / "elsewhere")
        assert "token" in run_carrel("store", "backup", tmp_path / "other", "--state", state).stderr
        assert server.stop() == 0
    whole = run_carrel("store", "export", backup)
    assert len(whole.stdout.splitlines()) == len(records) + 2

    with Server([*command, "--admin", "off"]) as server:
        alone = run_carrel("store", "backup", tmp_path / "other", "--state", state)
        assert alone.returncode == 1 and "open in another process" in alone.stderr
        assert "--admin off" in alone.stderr
        assert server.stop() == 0
    assert not (tmp_path / "other").exists()
