"""The /v1 API: held to its own description, and to what keeps strangers out."""

import hashlib
import json
import os
import signal
import stat
import subprocess
import threading
import time

import jsonschema
import pytest
import requests
import yaml
from wat import guest

from support import CARREL, App, Server

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    app = App(folder / "app", "shop").wat("page", guest()).route("GET /", "page")
    app.text += '\n[[hook]]\npoint = "cart"\ncombine = "first"\ncustomers = ["modules"]\n'
    app.write()
    with Server(
        [
            "serve",
            app.folder,
            "--port",
            "0",
            "--admin",
            "127.0.0.1:0",
            "--state",
            folder / "state",
            "--admin-host",
            "node.example",
            "--dns",
            "127.0.0.1:1",  # nobody answers there
        ]
    ) as server:
        server.url = f"http://127.0.0.1:{server.admin_port}"
        server.token = (folder / "state" / "token").read_text().strip()
        server.token_file = folder / "state" / "token"
        for name in ("acme", "acme/a", "acme/a/x", "acme/empty", "sibling", "shop/child", "shop/buyer"):
            made = requests.post(f"{server.url}/v1/tenants", headers=bearer(server), json={"name": name}, timeout=10)
            assert made.status_code == 201
        page = App(folder / "page", "page").wat("page", guest()).route("GET /", "page")
        page.text += '\n[[hook]]\npoint = "cart"\ncombine = "first"\ncustomers = ["endpoints"]\n'
        deploy_twice(server, page)
        bind_kept(server, App(folder / "tweaks", "tweaks").wat("page", guest()))
        yield server
        assert server.stop() == 0


def bind_kept(node, app):
    """A binding that no operation takes away."""
    app.write()
    options = ["--tenant", "shop/buyer", "--server", node.url, "--token-file", node.token_file]
    subprocess.run([CARREL, "deploy", app.folder, *options], check=True, capture_output=True, timeout=60)
    body = {"at": {"app": "shop", "point": "cart"}, "module": {"app": "tweaks", "name": "page"}}
    url = f"{node.url}/v1/tenants/shop%2Fbuyer/bindings/kept"
    assert requests.put(url, headers=bearer(node), json=body, timeout=10).status_code == 200


def deploy_twice(node, app):
    """Version 2 is live, and version 1 was before."""
    for _ in range(2):
        app.text += "\n"
        app.write()
        options = ["--tenant", "shop", "--server", node.url, "--token-file", node.token_file]
        subprocess.run([CARREL, "deploy", app.folder, *options], check=True, capture_output=True, timeout=60)
    url = f"{node.url}/v1/tenants/shop/apps/page/versions/2"
    node.files = requests.get(url, headers=bearer(node), timeout=10).json()["files"]


@pytest.fixture(scope="module")
def description(node):
    answer = requests.get(f"{node.url}/v1/openapi.yaml", headers=bearer(node), timeout=10)
    assert answer.status_code == 200
    return yaml.safe_load(answer.text)


VERBS = ["read", "data-read", "data-write", "secrets", "deploy", "invoke", "logs"]
VERBS += ["audit", "tokens", "tenants", "operate"]

# What is sent for an operation that needs more than its path.
BODIES = {
    "createTenant": {"name": "fresh"},
    "updateTenant": {"quotas": {"storage_bytes": 1 << 30}},
    "createToken": {"verbs": ["read"]},
    "createNodeToken": {"verbs": ["read"], "ttl": 60, "name": "ci"},
    "backup": {"folder": "BACKUP"},
    "createVersion": {},  # the newest version's, made by the fixture
    "activateVersion": {"percent": 100},
    "claimHost": {"app": "page"},
    "replay": {},
    "bind": {"at": {"app": "page", "point": "cart"}, "endpoint": {"url": "https://crm.example.com/", "secret": "KEY"}},
}
PART = "a part"

# What is anybody's who has a token, and shows what lies within its scope.
ANYBODYS = {"apps", "tenants", "description"}

# They need what a DELETE of the same page takes away.
EARLY = {"checkHost"}

TOKENS = {"revokeToken": "/v1/tenants/shop/tokens", "revokeNodeToken": "/v1/tokens"}


def operations(description):
    """Each operation in an order in which all of them can succeed one after the other."""
    late = ("delete", "post")
    found = [
        (path, method, operation) for path, item in description["paths"].items() for method, operation in item.items()
    ]

    def place(each):
        return late.index(each[1]) if each[1] in late and each[2]["operationId"] not in EARLY else -1

    return sorted(found, key=place)


def make_token(node, path, **body):
    made = requests.post(node.url + path, headers=bearer(node), json=body, timeout=10)
    assert made.status_code == 201, made.text
    return made.json()


def example(path, operation, token="0" * 16):
    """A path of the description with something for each of its parameters."""
    tenant = "shop" if "Tenant" not in operation["operationId"] else "acme%2Fempty"
    if path.startswith("/v1/tenants/{tenant}/bindings"):
        tenant = "shop%2Fbuyer"
    part = hashlib.sha256(PART.encode()).hexdigest()
    names = {"app": "page", "version": 1, "part": part, "store": "carts", "key": "a", "name": "KEY", "id": token}
    names["host"] = "www.example.com"
    names["binding"] = "kept" if path.endswith(":replay") else "crm"
    return path.format(tenant=tenant, **names)


def body_of(node, operation):
    if operation["operationId"] == "putPart":
        return PART
    if operation["operationId"] == "createVersion":
        return json.dumps({"files": node.files})
    text = json.dumps(BODIES[operation["operationId"]]) if operation["operationId"] in BODIES else ""
    return text.replace("BACKUP", str(node.token_file.with_name("backup")))


def bearer(node):
    return {"Authorization": f"Bearer {node.token}"}


def resolve(description, value):
    """Replaces references by what they refer to."""
    if isinstance(value, list):
        return [resolve(description, each) for each in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        target = description
        for part in value["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        return resolve(description, target)
    return {key: resolve(description, each) for key, each in value.items()}


def check(description, operation, answer):
    """The answer is one of those that the operation documents, with its headers and its schema."""
    responses = resolve(description, operation["responses"])
    assert str(answer.status_code) in responses, (answer.status_code, answer.text)
    documented = responses[str(answer.status_code)]
    for name, header in documented.get("headers", {}).items():
        assert not header.get("required") or name in answer.headers
    if "content" not in documented:
        assert answer.content == b""
        return
    kind = answer.headers["content-type"]
    assert kind in documented["content"], kind
    schema = documented["content"][kind]["schema"]
    jsonschema.Draft202012Validator.check_schema(schema)
    value = answer.json() if kind.endswith("json") else answer.text
    jsonschema.validate(value, schema, cls=jsonschema.Draft202012Validator, format_checker=jsonschema.FormatChecker())


def test_every_operation_answers_as_described(node, description):
    count = 0
    for path, method, operation in operations(description):
        name = operation["operationId"]
        made = make_token(node, TOKENS[name], verbs=["read"])["id"] if name in TOKENS else None
        url = node.url + example(path, operation, made)
        answer = requests.request(method, url, headers=bearer(node), data=body_of(node, operation), timeout=10)
        assert answer.status_code == min(int(code) for code in operation["responses"]), (path, answer.text)
        check(description, operation, answer)
        count += 1
    assert count >= 15


def test_without_a_token_every_operation_but_the_probes_is_refused_as_described(node, description):
    for path, method, operation in operations(description):
        answer = requests.request(method, node.url + example(path, operation), timeout=10)
        assert answer.status_code == (200 if operation.get("security") == [] else 401), path
        check(description, operation, answer)


def test_with_an_expired_token_every_operation_but_the_probes_is_refused_as_described(node, description):
    headers = {"Authorization": f"Bearer {make_token(node, '/v1/tokens', verbs=['read'], ttl=1)['token']}"}
    end = time.monotonic() + 20
    while requests.get(f"{node.url}/v1/apps", headers=headers, timeout=10).status_code != 401:
        assert time.monotonic() < end
    for path, method, operation in operations(description):
        answer = requests.request(method, node.url + example(path, operation), headers=headers, timeout=10)
        assert answer.status_code == (200 if operation.get("security") == [] else 401), path
        check(description, operation, answer)


def guarded_answers(node, description, token):
    """What each operation that needs a token answers to this one."""
    headers = {"Authorization": f"Bearer {token}"}
    for path, method, operation in operations(description):
        if operation.get("security") == []:
            continue
        url = node.url + example(path, operation)
        answer = requests.request(method, url, headers=headers, data=body_of(node, operation), timeout=10)
        yield path, method, operation, answer


@pytest.mark.parametrize("scope", ["sibling", "shop%2Fchild", "acme%2Fa%2Fx"])
def test_with_the_token_of_another_tenant_every_operation_is_refused_as_described(node, description, scope):
    token = make_token(node, f"/v1/tenants/{scope}/tokens", verbs=VERBS)["token"]
    for path, method, operation, answer in guarded_answers(node, description, token):
        if operation["operationId"] in ANYBODYS:
            assert answer.status_code == 200
            own = scope.replace("%2F", "/")
            assert answer.headers["content-type"] != "application/json" or all(
                each["name"] == own for each in next(iter(answer.json().values()))
            )
        else:
            assert answer.status_code == 403, (path, method, answer.text)
        check(description, operation, answer)


def test_a_token_without_the_verb_is_refused_by_every_operation_of_its_own_tenant(node, description):
    token = make_token(node, "/v1/tenants/shop/tokens", verbs=["invoke"])["token"]
    for path, method, _, answer in guarded_answers(node, description, token):
        assert answer.status_code == 403, (path, method, answer.text)


def test_what_the_table_of_access_opens_to_everybody_is_what_the_description_says(node, description):
    for path, method, operation in operations(description):
        answer = requests.request(method, node.url + example(path, operation), timeout=10)
        assert (answer.status_code == 401) == (operation.get("security") != []), path


def test_a_foreign_host_is_refused_as_described(node, description):
    for path, method, operation in operations(description):
        if operation.get("security") == []:
            continue
        url = node.url + example(path, operation)
        answer = requests.request(method, url, timeout=10, headers={**bearer(node), "Host": "rebound.example"})
        assert answer.status_code == 403
        check(description, operation, answer)


def test_a_page_of_another_origin_is_refused(node):
    for origin in ("http://evil.example", "null", "http://localhost:8080"):
        answer = requests.get(f"{node.url}/v1/status", headers={**bearer(node), "Origin": origin}, timeout=10)
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in {name.lower() for name in answer.headers}


def test_names_that_the_operator_allowed_are_taken(node):
    for host in ("node.example", "localhost:3001", "[::1]:3001"):
        answer = requests.get(f"{node.url}/v1/status", headers={**bearer(node), "Host": host}, timeout=10)
        assert answer.status_code == 200


def test_methods_that_are_not_described_are_refused(node, description):
    for path, item in description["paths"].items():
        for method in METHODS:
            if method in item or method == "head":
                continue
            url = node.url + example(path, next(iter(item.values())))
            answer = requests.request(method, url, headers=bearer(node), timeout=10)
            assert answer.status_code == 405, (method, path)
            assert all(known.upper() in answer.headers["allow"] for known in item)


def test_paths_that_are_not_described_are_not_found(node):
    for path in ("/", "/v1", "/v1/", "/v2/status", "/v1/status/", "/v1/../v1/status/x", "/V1/status"):
        answer = requests.get(node.url + path, headers=bearer(node), timeout=10)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert requests.get(node.url + path, timeout=10).status_code == 401


@pytest.mark.parametrize("credentials", ["Bearer", "Bearer ", "Bearer wrong", "Basic Og==", "bearer\t", "x" * 4000])
def test_wrong_credentials_are_refused(node, credentials):
    answer = requests.get(f"{node.url}/v1/status", headers={"Authorization": credentials}, timeout=10)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_the_apps_port_knows_nothing_of_the_api(node):
    assert node.problem("GET", "/v1/status", headers=bearer(node))[0] == 404


def test_it_says_what_is_served(node):
    apps = requests.get(f"{node.url}/v1/apps", headers=bearer(node), timeout=10).json()["apps"]
    folders = [(app["name"], app["routes"], app["modules"]) for app in apps if not app["deployed"]]
    assert folders == [("shop", ["GET /"], 1)]


def test_the_token_is_for_its_owner_only_and_never_logged(node):
    status = node.token_file.stat()
    assert stat.S_IMODE(status.st_mode) == 0o600
    assert status.st_uid == os.geteuid()
    assert str(node.token_file) in node.log
    assert node.token not in node.log


def test_a_token_that_others_may_read_keeps_it_from_starting(tmp_path):
    app = App(tmp_path / "app").wat("page", guest()).route("GET /", "page")
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (state / "token").write_text("x" * 40)
    (state / "token").chmod(0o644)
    ended = subprocess.run(
        [CARREL, "serve", app.folder, "--port", "0", "--state", state],
        text=True,
        timeout=60,
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "chmod 600" in ended.stderr


def test_an_app_that_could_not_be_loaded_again_says_why(tmp_path):
    app = App(tmp_path / "app", "shop").wat("page", guest()).route("GET /", "page")
    with Server(["serve", app.folder, "--port", "0", "--state", tmp_path / "state"]) as server:
        headers = {"Authorization": f"Bearer {(tmp_path / 'state' / 'token').read_text().strip()}"}
        (app.folder / "carrel.toml").write_text("[app\n")
        server.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 20
        problem = None
        while problem is None and time.monotonic() < end:
            apps = requests.get(f"http://127.0.0.1:{server.admin_port}/v1/apps", headers=headers, timeout=10).json()
            problem = apps["apps"][0].get("problem")
            time.sleep(0.02)
        assert "carrel.toml" in problem
        assert server.stop() == 0


def test_while_it_drains_it_is_alive_but_not_ready(tmp_path):
    app = App(tmp_path / "app", "slow").wat("page", guest(sleep_ms=3000)).route("GET /", "page")
    with Server(["serve", app.folder, "--port", "0", "--state", tmp_path / "state"]) as server:
        url = f"http://127.0.0.1:{server.admin_port}"
        assert requests.get(f"{url}/readyz", timeout=10).status_code == 200
        asking = threading.Thread(target=lambda: server.get("/"))
        asking.start()
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        statuses = set()
        end = time.monotonic() + 10
        while 503 not in statuses and time.monotonic() < end:
            answer = requests.get(f"{url}/readyz", timeout=10)
            statuses.add(answer.status_code)
        assert 503 in statuses
        assert json.loads(answer.text)["code"] == "unavailable"
        assert requests.get(f"{url}/healthz", timeout=10).status_code == 200
        asking.join(20)
        assert server.process.wait(20) == 0
