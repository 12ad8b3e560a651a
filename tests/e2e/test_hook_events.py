"""Events at hook points: kept before it is said so, delivered at least once, whatever ends in between."""

import json
import re
import socket
import struct
import time

import pytest

from support import GUESTS, App, Server

ORDER = {"type": "object", "required": ["total"], "properties": {"total": {"type": "number"}}}
JSON = {"content-type": "application/json"}
EVENT = {"ce-specversion": "1.0", "ce-id": "7", "ce-source": "/orders", "ce-type": "order.created"}


def until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)
    return found


class Shop:
    """An app with points that are told of events, and a server that can be killed and started again."""

    def __init__(self, folder):
        self.folder, self.state = folder, folder / "state"
        self.app = App(folder / "app", "shop")
        limits = 'limits = { memory = "4MiB", cpu = "100ms", time = "20s" }'
        self.app.module("act", GUESTS / "hook.wasm", limits)
        self.app.module("keeper", GUESTS / "hook.wasm", 'grants = { kv = ["hooks:rw"] }')
        (self.app.folder / "order.json").write_text(json.dumps(ORDER))
        self.server = None

    def point(self, name, more="", bindings=()):
        """`bindings`: texts of [[hook.bind]]."""
        self.app.text += f'\n[[hook]]\npoint = "{name}"\nkind = "event"\n{more}\n'
        for binding in bindings:
            self.app.text += f"[[hook.bind]]\n{binding}\n"
        self.app.write()

    def start(self, *more, state=None):
        words = ["serve", self.app.folder, "--port", "0", "--admin", "127.0.0.1:0", "--shards", "2"]
        self.server = Server([*words, "--state", state or self.state, *more])
        self.token = ((state or self.state) / "token").read_text().strip()
        self.server.port = int(re.search(r"hook points at http://\S+?:(\d+)", self.server.log).group(1))
        return self

    def kill(self):
        self.server.process.kill()
        self.server.process.wait()

    def ask(self, method, path, body=None, headers=None, token=None):
        words = {"authorization": f"Bearer {token or self.token}", **(headers or {})}
        status, head, text = self.server.request(method, path, body=body, headers=words)
        return (status, json.loads(text) if text else None, {name.lower(): value for name, value in head.items()})

    def emit(self, point, value, query="", **headers):
        body = value if isinstance(value, (str, bytes)) else json.dumps(value)
        words = {**JSON, **{name.replace("_", "-"): text for name, text in headers.items()}}
        return self.ask("POST", f"/v1/hooks/{point}:emit{query}", body, words)

    def listed(self, point, state="dead"):
        return self.ask("GET", f"/v1/hooks/{point}/deliveries?state={state}")[1]["deliveries"]

    def count(self, run_carrel, tenant="shop"):
        done = run_carrel("kv", "get", tenant, "hooks", "count", "--state", self.server_state)
        return int(done.stdout) if done.returncode == 0 else 0

    @property
    def server_state(self):
        return self.state


def keeper(name="k", more=""):
    return f'module = "keeper"\nname = "{name}"\nconfig = {{ ACT = "keep" }}\n{more}'


def act(name, act, more=""):
    return f'module = "act"\nname = "{name}"\nconfig = {{ ACT = "{act}" }}\n{more}'


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    made = Shop(tmp_path_factory.mktemp("events"))
    made.point("order.created", 'input = "order.json"', [keeper(), act("quiet", "nothing")])
    made.point("nobody")
    made.point("counted", "", [keeper()])
    grants = 'grants = { kv = ["hooks:rw"] }'
    made.point("tenants", grants, [keeper("m1", 'tenant = "m1"'), keeper("m2", 'tenant = "m2"')])
    made.point("failing", 'retry = ["20ms", "40ms"]', [act("bad", "exit"), act("good", "nothing")])
    made.app.text += '\n[[hook]]\npoint = "called"\ncombine = "first"\n'
    made.app.write()
    made.start()
    yield made
    assert made.server.stop() == 0


def test_an_event_is_delivered_to_each_binding(shop, run_carrel):
    before = shop.count(run_carrel)
    status, made, _ = shop.emit("order.created", {"total": 1})
    assert status == 202
    assert made["deliveries"] == 2
    assert re.fullmatch(r"evt_[0-9a-f]{32}", made["id"])
    until(lambda: shop.count(run_carrel) == before + 1)
    until(lambda: shop.listed("order.created", "open") == [])
    assert shop.listed("order.created") == []
    assert shop.emit("nobody", {})[1]["deliveries"] == 0


def test_customers_are_told_of_their_own(shop, run_carrel):
    assert shop.emit("tenants", {}, "?tenant=shop/m1")[1]["deliveries"] == 1
    until(lambda: shop.count(run_carrel, "shop/m1") == 1)
    assert shop.emit("tenants", {})[1]["deliveries"] == 2
    until(lambda: shop.count(run_carrel, "shop/m2") == 1)
    assert shop.emit("tenants", {}, "?tenant=other")[0] == 400


def test_the_same_event_again_is_none(shop, run_carrel):
    before = shop.count(run_carrel)
    first = shop.emit("counted", {"n": 1}, idempotency_key="k1")
    again = shop.emit("counted", {"n": 1}, idempotency_key="k1")
    assert (first[0], again[0], again[1]) == (202, 202, first[1])
    assert again[2]["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first[2]
    status, problem, _ = shop.emit("counted", {"n": 2}, idempotency_key="k1")
    assert (status, problem["code"]) == (422, "idempotency_mismatch")
    first = shop.ask("POST", "/v1/hooks/counted:emit", "{}", {**JSON, **EVENT})
    again = shop.ask(
        "POST",
        "/v1/hooks/counted:emit",
        json.dumps({"specversion": "1.0", "id": "7", "source": "/orders", "type": "order.created", "data": {}}),
        {"content-type": "application/cloudevents+json"},
    )
    assert first[0] == 202
    assert again[1] == first[1]  # source and id are the key
    other = shop.ask("POST", "/v1/hooks/counted:emit", "{}", {**JSON, **EVENT, "ce-id": "8"})
    assert other[1]["id"] != first[1]["id"]
    until(lambda: shop.count(run_carrel) == before + 3)
    time.sleep(0.3)
    assert shop.count(run_carrel) == before + 3


@pytest.mark.parametrize(
    ("point", "body", "headers", "status", "code"),
    [
        ("order.created", '{"total":"x"}', {}, 422, "hook_input"),
        ("order.created", "{", {}, 422, "hook_input"),
        ("order.created", "", {}, 422, "hook_input"),
        ("order.created", b"\xff", {}, 422, "hook_input"),
        ("nobody", "[" * 100 + "]" * 100, {}, 422, "hook_input"),
        ("nobody", '"' + "x" * (256 << 10) + '"', {}, 422, "hook_input"),
        ("nobody", " " * (600 << 10), {}, 413, "body_too_large"),
        ("nobody", "[]", {"content-type": "application/cloudevents-batch+json"}, 400, "invalid_argument"),
        ("nobody", "{}", {"content-type": "application/cloudevents+json"}, 400, "invalid_argument"),
        ("nobody", "{}", {**JSON, **EVENT, "ce-specversion": "0.3"}, 400, "invalid_argument"),
        ("nobody", "{}", {**JSON, "ce-id": "7"}, 400, "invalid_argument"),
        ("nobody", "{}", {**JSON, **EVENT, "ce-data": "x"}, 400, "invalid_argument"),
        ("nobody", "{}", {"idempotency-key": "x" * 256}, 400, "bad_request"),
        ("called", "{}", {}, 400, "invalid_argument"),
        ("none", "{}", {}, 404, "not_found"),
    ],
)
def test_what_is_no_event_is_refused(shop, point, body, headers, status, code):
    got, problem, _ = shop.ask("POST", f"/v1/hooks/{point}:emit", body, headers)
    assert (got, problem["code"]) == (status, code)


def test_each_kind_of_point_has_its_own_way_in(shop):
    status, problem, _ = shop.ask("POST", "/v1/hooks/nobody:invoke", "{}")
    assert (status, problem["code"]) == (400, "invalid_argument")
    assert ":emit" in problem["detail"]
    assert shop.ask("GET", "/v1/hooks/nobody:emit")[0] == 405
    for path in ("nobody/deliveries?state=x", "nobody/deliveries?after=%00", "nobody/deliveries?limit=0"):
        assert shop.ask("GET", f"/v1/hooks/{path}")[0] == 400
    for body in ("[]", '{"binding":1}', '{"what":"x"}', "{"):
        assert shop.ask("POST", "/v1/hooks/nobody/deliveries:redrive", body)[0] == 400
    assert shop.ask("POST", "/v1/hooks/order.created/endpoints/k:enable")[0] == 404  # it is a module
    kinds = {each["point"]: each["kind"] for each in shop.ask("GET", "/v1/hooks")[1]["points"]}
    assert (kinds["nobody"], kinds["called"]) == ("event", "call")


def test_others_tokens_open_nothing(shop, run_carrel):
    def token(tenant, verbs):
        done = run_carrel("token", "create", "--tenant", tenant, "--verbs", verbs, "--json", "--state", shop.state)
        return json.loads(done.stdout)["token"]

    ways = [
        ("POST", "/v1/hooks/nobody:emit"),
        ("GET", "/v1/hooks/nobody/deliveries"),
        ("POST", "/v1/hooks/nobody/deliveries:redrive"),
        ("GET", "/v1/hooks/nobody/endpoints"),
        ("POST", "/v1/hooks/nobody/endpoints/x:enable"),
        ("POST", "/v1/hooks:pause"),
        ("POST", "/v1/hooks:resume"),
    ]
    below, reader = token("shop/m1", "invoke,logs,read"), token("shop", "read")
    for method, path in ways:
        assert shop.ask(method, path, "{}", token=below)[0] == 403
        assert shop.ask(method, path, "{}", token=reader)[0] == 403
        assert shop.server.request(method, path, body="{}")[0] == 401
    caller = token("shop", "invoke")
    assert shop.ask("POST", "/v1/hooks/nobody:emit", "{}", token=caller)[0] == 202
    assert shop.ask("GET", "/v1/hooks/nobody/deliveries", token=caller)[0] == 403
    assert shop.ask("POST", "/v1/hooks:pause", "", token=caller)[0] == 403


def test_what_fails_is_tried_again_and_then_a_dead_letter_with_its_cause(shop, run_carrel):
    _, made, _ = shop.emit("failing", {})
    dead = until(lambda: shop.listed("failing"))
    assert [(each["id"], each["binding"], each["attempts"]) for each in dead] == [(made["id"], "bad", 3)]
    assert "guest_exited" in dead[0]["cause"]
    until(lambda: '"event":"dead_letter"' in shop.server.log)
    assert shop.server.log.count("the tax table is missing") >= 3

    def hook(*words):
        return run_carrel("hook", *words, "--state", shop.state)

    assert made["id"] in hook("dead", "failing").stdout
    assert hook("dead", "failing", "--binding", "good").stdout == ""
    assert "0 are" in hook("redrive", "failing", "--binding", "good").stdout
    assert "0 are" in hook("redrive", "failing", "--id", "evt_0").stdout
    assert "1 are" in hook("redrive", "failing", "--id", made["id"]).stdout
    until(lambda: [each["attempts"] for each in shop.listed("failing")] == [3])
    assert shop.server.log.count("the tax table is missing") >= 6
    assert hook("dead", "none").returncode == 3
    assert hook("dead").returncode == 2


def test_the_command_line_emits(shop, run_carrel, tmp_path):
    (tmp_path / "order.json").write_text('{"total": 5}')
    done = run_carrel("hook", "emit", "order.created", tmp_path / "order.json", "--state", shop.state)
    assert re.fullmatch(r"evt_[0-9a-f]{32}\n", done.stdout)
    refused = run_carrel("hook", "emit", "order.created", "--state", shop.state, input="{}")
    assert refused.returncode == 1
    assert "total" in refused.stderr


def test_a_pause_outlives_the_server(tmp_path, run_carrel):
    made = Shop(tmp_path)
    made.point("counted", "", [keeper()])
    made.start()
    assert run_carrel("hook", "pause", "--state", made.state).returncode == 0
    assert made.emit("counted", {})[0] == 202
    made.kill()
    made.start()
    assert "deliveries are paused" in made.server.log
    assert made.ask("GET", "/v1/hooks")[1]["paused"] is True
    time.sleep(0.3)
    assert len(made.listed("counted", "open")) == 1
    assert run_carrel("hook", "pending", "counted", "--state", made.state).stdout.count("evt_") == 1
    assert run_carrel("hook", "resume", "--state", made.state).returncode == 0
    until(lambda: made.count(run_carrel) == 1)
    assert made.server.stop() == 0
    made.start()
    assert "paused" not in made.server.log
    assert made.server.stop() == 0


def test_a_restored_backup_begins_paused(tmp_path, run_carrel):
    made = Shop(tmp_path)
    made.point("counted", "", [keeper()])
    made.start()
    assert made.emit("counted", {})[0] == 202
    until(lambda: made.count(run_carrel) == 1)
    run_carrel("hook", "pause", "--state", made.state)
    made.emit("counted", {})
    done = run_carrel("store", "backup", tmp_path / "backup", "--state", made.state)
    assert done.returncode == 0, done.stderr
    run_carrel("hook", "resume", "--state", made.state)
    until(lambda: made.count(run_carrel) == 2)
    assert made.server.stop() == 0
    other = tmp_path / "other"
    done = run_carrel("store", "restore", tmp_path / "backup", "--state", other)
    assert done.returncode == 0, done.stderr
    made.start(state=other)
    made.state = other
    assert "deliveries are paused" in made.server.log
    assert len(made.listed("counted", "open")) == 1
    assert made.count(run_carrel) == 1
    made.ask("POST", "/v1/hooks:resume")
    until(lambda: made.count(run_carrel) == 2)
    assert made.server.stop() == 0


def test_nothing_acknowledged_is_lost_or_done_twice_when_the_server_is_killed(tmp_path, run_carrel):
    made = Shop(tmp_path)
    made.point("counted", 'retry = ["10ms", "10ms", "10ms", "10ms", "10ms"]', [keeper("a"), keeper("b")])
    made.start()
    sent = 0
    for _ in range(4):
        for _ in range(25):
            assert made.emit("counted", {"n": sent}, idempotency_key=f"n{sent}")[0] == 202
            sent += 1
        made.kill()  # deliveries are under way
        made.start()
    for n in range(sent):  # a client that does not know sends again
        assert made.emit("counted", {"n": n}, idempotency_key=f"n{n}")[2]["idempotency-replayed"] == "true"
    until(lambda: made.listed("counted", "open") == [], 60)
    assert made.listed("counted") == []
    assert made.count(run_carrel) == 2 * sent  # the module's write and its acknowledgement are one
    assert made.server.stop() == 0
    done = run_carrel("store", "check", "--state", made.state)
    assert done.returncode == 0, done.stdout


def test_an_event_whose_sender_goes_is_delivered_or_was_never_there(tmp_path, run_carrel):
    made = Shop(tmp_path)
    made.point("counted", "", [keeper()])
    made.start()
    head = f"POST /v1/hooks/counted:emit HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {made.token}\r\n"
    for n in range(60):
        body = json.dumps({"n": n})
        text = f"{head}idempotency-key: n{n}\r\ncontent-length: {len(body)}\r\n\r\n{body}"
        with socket.create_connection(("127.0.0.1", made.server.port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # an abrupt end
            client.sendall(text.encode())
            time.sleep(n % 6 / 4000)
    for n in range(60):  # who does not know sends again
        assert made.emit("counted", {"n": n}, idempotency_key=f"n{n}")[0] == 202
    until(lambda: made.listed("counted", "open") == [], 10)
    assert made.count(run_carrel) == 60
    assert made.server.stop() == 0


def test_a_message_that_ends_the_server_counts_as_tried(tmp_path):
    made = Shop(tmp_path)
    made.point("slow", "retry = []\ndeadline = '20s'", [act("s", "sleep")])
    made.start()
    made.emit("slow", {})
    until(lambda: [each["under_way"] for each in made.listed("slow", "open")] == [True])
    made.kill()
    made.start()
    dead = until(lambda: made.listed("slow"))
    assert dead[0]["cause"] == "the server ended during attempt 1"
    assert made.listed("slow", "open") == []
    assert made.server.stop() == 0


def test_deliveries_to_a_binding_that_is_gone_are_kept_as_dead_letters(tmp_path, run_carrel):
    made = Shop(tmp_path)
    made.point("counted", "", [keeper("old")])
    made.start()
    run_carrel("hook", "pause", "--state", made.state)
    made.emit("counted", {})
    made.kill()
    text = made.app.text
    made.app.text = text.replace('name = "old"', 'name = "new"')
    made.app.write()
    made.start()
    made.ask("POST", "/v1/hooks:resume")
    dead = until(lambda: made.listed("counted"))
    assert dead[0]["cause"] == "the binding is gone"
    made.kill()
    made.app.text = text
    made.app.write()
    made.start()
    assert made.ask("POST", "/v1/hooks/counted/deliveries:redrive", '{"binding":"old"}')[1] == {
        "redriven": 1,
        "more": False,
    }
    until(lambda: made.count(run_carrel) == 1)
    assert made.listed("counted") == []
    assert made.server.stop() == 0
