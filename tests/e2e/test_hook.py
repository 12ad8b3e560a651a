"""Hook points: an application calls them over HTTP; modules answer well, badly, late or not at all."""

import json
import re
import time

import pytest

from support import GUESTS, App, Server

CART = {
    "type": "object",
    "required": ["total"],
    "properties": {"total": {"type": "number", "minimum": 0}, "sku": {"type": "string"}},
}
DISCOUNT = {"type": "object", "required": ["discount"], "properties": {"discount": {"type": "integer"}}}
BAD = ["deep", "huge", "loop", "sleep", "trap", "exit", "memory"]


class Points:
    """An app's text, point by point."""

    def __init__(self, folder, name="shop"):
        self.app = App(folder, name)
        self.app.module("act", GUESTS / "hook.wasm", 'limits = { memory = "4MiB", cpu = "100ms", time = "400ms" }')
        self.app.module("keeper", GUESTS / "hook.wasm", 'grants = { kv = ["hooks:rw"] }')
        for name, schema in (("cart", CART), ("discount", DISCOUNT)):
            (self.app.folder / f"{name}.json").write_text(json.dumps(schema))

    def point(self, name, combine, more="", bindings=()):
        """`bindings`: (act, configuration) or (act, configuration, more keys)."""
        self.app.text += f'\n[[hook]]\npoint = "{name}"\ncombine = "{combine}"\n{more}\n'
        for index, (act, config, *keys) in enumerate(bindings):
            pairs = ", ".join(f"{key} = {json.dumps(value)}" for key, value in {"ACT": act, **config}.items())
            keys = "\n".join(keys)
            module = "keeper" if act == "keep" else "act"
            self.app.text += f'[[hook.bind]]\nmodule = "{module}"\nname = "b{index}"\nconfig = {{ {pairs} }}\n{keys}\n'
        self.app.write()


class Caller:
    def __init__(self, server, state):
        self.server = server
        self.token = (state / "token").read_text().strip()
        self.port = int(re.search(r"hook points at http://\S+?:(\d+)", server.log).group(1))
        server.port = self.port  # the support's requests go to the hook points

    def ask(self, method, path, body=None, token=None, headers=None):
        words = {"authorization": f"Bearer {token or self.token}", **(headers or {})}
        status, head, text = self.server.request(method, path, body=body, headers=words)
        return status, json.loads(text) if text else None, {name.lower(): value for name, value in head.items()}

    def call(self, point, value, query=""):
        body = value if isinstance(value, (str, bytes)) else json.dumps(value)
        return self.ask("POST", f"/v1/hooks/{point}:invoke{query}", body)[:2]


@pytest.fixture(scope="module")
def hooks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hooks")
    made = Points(folder / "app")
    point = made.point
    point("echo", "first", 'input = "cart.json"', [("echo", {})])
    point("empty", "all")
    point("first", "first", "", [("nothing", {}), ("say", {"ANSWER": "1.10"}), ("say", {"ANSWER": "2"})])
    point("all", "all", "", [("say", {"ANSWER": '{"a":1}'}), ("nothing", {}), ("say", {"ANSWER": "[2]"}, "order = -1")])
    point("chain", "chain", 'input = "cart.json"', [("add", {"NAME": "one"}), ("add", {"NAME": "two"})])
    point(
        "merge",
        "merge",
        'input = "cart.json"',
        [
            ("say", {"ANSWER": '{"total":null}'}),  # would leave no cart
            ("say", {"ANSWER": '{"sku":"X","gift":true}'}),
            ("say", {"ANSWER": '{"gift":null}'}),
        ],
    )
    verdicts = [("say", {"ANSWER": '{"allow":true}'}), ("say", {"ANSWER": '{"allow":false,"reason":"sold out"}'})]
    point("verdict", "any-deny", "", verdicts)
    point("not-a-verdict", "any-deny", 'on_failure = "fail"', [("say", {"ANSWER": '{"allow":"yes"}'})])
    point("event", "first", "", [("event", {})])
    answers = {
        "malformed": "{",
        "twice": '{"discount":1,"discount":2}',
        "violating": '{"discount":"ten"}',
        "text": "ten percent",
    }
    for name, answer in answers.items():
        more = 'output = "discount.json"\non_failure = "fail"'
        point(f"answer.{name}", "first", more, [("say", {"ANSWER": answer})])
    for act in BAD:
        more = 'deadline = "3s"\non_failure = "fail"'
        point(f"bad.{act}", "first", more, [(act, {"ANSWER": "1"})])
        point(f"skip.{act}", "all", 'deadline = "3s"', [(act, {"ANSWER": "1"}), ("say", {"ANSWER": "2"})])
    more = 'output = "discount.json"\non_failure = "default"\ndefault = \'{"discount": 0}\''
    point("default.first", "first", more, [("trap", {}), ("nothing", {})])
    point("default.all", "all", more, [("trap", {}), ("say", {"ANSWER": '{"discount":5}'})])
    late = [("sleep", {}), ("say", {"ANSWER": "2"})]
    point("late", "all", 'deadline = "150ms"', late)
    point("late.fail", "all", 'deadline = "150ms"\non_failure = "fail"', late)
    point("parked", "all", "", [("exit", {}), ("say", {"ANSWER": "2"})])
    grants = 'grants = { kv = ["hooks:rw"] }\noutput = "discount.json"'
    point("keep", "first", grants, [("keep", {"ANSWER": '{"discount":1}'})])
    point("keep.bad", "first", grants, [("keep", {"ANSWER": '{"discount":"x"}'})])
    point(
        "tenants",
        "all",
        grants,
        [
            ("say", {"ANSWER": '{"discount":0}'}),
            ("keep", {"ANSWER": '{"discount":1}'}, 'tenant = "m1"'),
            ("keep", {"ANSWER": '{"discount":2}'}, 'tenant = "m2"'),
        ],
    )
    fragment = {"html": "<b>new</b><script>steal()</script>", "n": 1}
    point("fragment", "first", 'html = "/html"', [("say", {"ANSWER": json.dumps(fragment)})])
    point("fragment.bad", "first", 'html = "/html"\non_failure = "fail"', [("say", {"ANSWER": '{"html": 1}'})])
    state = folder / "state"
    with Server(["serve", made.app.folder, "--port", "0", "--admin", "127.0.0.1:0", "--state", state]) as server:
        server.state = state
        yield Caller(server, state)
        assert server.stop() == 0


def value_of(run_carrel, hooks, tenant):
    done = run_carrel("kv", "get", tenant, "hooks", "count", "--state", hooks.server.state)
    return done.stdout if done.returncode == 0 else None


def test_who_calls_shows_a_token(hooks):
    for headers in ({}, {"authorization": "Bearer nobody"}, {"authorization": f"Basic {hooks.token}"}):
        status, problem = hooks.server.problem("POST", "/v1/hooks/echo:invoke", body="{}", headers=headers)
        assert (status, problem["code"]) == (401, "unauthenticated")


def test_a_token_needs_the_verb_on_the_apps_tenant(hooks, run_carrel):
    def token(*words):
        done = run_carrel("token", "create", *words, "--state", hooks.server.state)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert run_carrel("tenant", "create", "other", "--state", hooks.server.state).returncode == 0
    body = '{"total": 1}'
    path = "/v1/hooks/echo:invoke"
    assert hooks.ask("POST", path, body, token("--tenant", "shop", "--verbs", "invoke"))[0] == 200
    assert hooks.ask("POST", path, body, token("--tenant", "shop", "--verbs", "read"))[0] == 403
    assert hooks.ask("POST", path, body, token("--tenant", "other", "--verbs", "invoke"))[0] == 403
    assert hooks.ask("POST", path, body, token("--tenant", "shop/m1", "--verbs", "invoke"))[0] == 403


def test_what_there_is_not(hooks):
    assert hooks.call("none", {})[0] == 404
    assert hooks.ask("GET", "/v1/none")[0] == 404
    assert hooks.ask("POST", "/v1/hooks/echo", "{}")[0] == 404
    assert hooks.ask("POST", "/v1/hooks/:invoke", "{}")[0] == 404
    status, _, head = hooks.ask("GET", "/v1/hooks/echo:invoke")
    assert (status, head["allow"]) == (405, "POST")
    status, _, head = hooks.ask("DELETE", "/v1/hooks")
    assert (status, head["allow"]) == (405, "GET, HEAD")


def test_points_are_listed(hooks):
    status, listed, _ = hooks.ask("GET", "/v1/hooks")
    assert (status, listed["app"]) == (200, "shop")
    points = {each["point"]: each for each in listed["points"]}
    assert points["empty"] == {"point": "empty", "kind": "call", "combine": "all", "bindings": []}
    assert points["tenants"]["bindings"][1] == {"name": "b1", "tenant": "shop/m1"}


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ("", ""),
        ("{", ""),
        ("[" * 100_000, ""),
        ('{"total": 1, "total": 2}', ""),
        ('{"total": "1"}', "/total"),
        ('{"total": -1}', "/total"),
        ('{"total": 1, "sku": []}', "/sku"),
        (b"\xff", ""),
        ("{} {}", ""),
    ],
)
def test_an_input_the_point_does_not_take_names_the_field(hooks, body, at):
    status, problem = hooks.call("echo", body)
    assert (status, problem["code"]) == (422, "hook_input")
    assert problem["problems"][0]["at"] == at
    assert "runs" not in problem


def test_an_input_has_a_bound(hooks):
    status, problem = hooks.call("echo", '"' + "x" * (2 << 20) + '"')
    assert (status, problem["code"]) == (413, "body_too_large")


def test_a_query_is_strict(hooks):
    assert hooks.call("echo", {"total": 1}, "?tenant=other")[1]["code"] == "invalid_argument"
    assert hooks.call("echo", {"total": 1}, "?tenant=Not%20One")[1]["code"] == "invalid_argument"
    assert hooks.call("echo", {"total": 1}, "?x=1")[1]["code"] == "invalid_argument"


def test_a_module_is_given_the_input_and_answers(hooks):
    status, made = hooks.call("echo", '{"total": 1.10}')
    assert status == 200
    assert made["output"] == {"total": 1.1}
    (run,) = made["runs"]
    assert (run["binding"], run["tenant"], run["status"]) == ("b0", "shop", "answered")


def test_answers_stay_as_they_were_written(hooks):
    _, _, body = hooks.server.request(
        "POST", "/v1/hooks/first:invoke", body="1", headers={"authorization": f"Bearer {hooks.token}"}
    )
    assert body.startswith(b'{"output":1.10,')


def test_how_answers_become_one(hooks):
    assert hooks.call("empty", {})[1] == {"output": [], "runs": []}
    status, made = hooks.call("first", {})
    assert [run["status"] for run in made["runs"]] == ["passed", "answered"]  # the third is not asked
    assert hooks.call("all", {})[1]["output"] == [[2], {"a": 1}]  # in the order of `order`
    assert hooks.call("chain", {"total": 5})[1]["output"] == {"total": 5, "one": 1, "two": 1}
    status, made = hooks.call("merge", {"total": 5})
    assert made["output"] == {"total": 5, "sku": "X"}
    assert [run["status"] for run in made["runs"]] == ["refused", "answered", "answered"]
    assert "total" in made["runs"][0]["problems"][0]["message"]
    denials = [{"binding": "b1", "reason": "sold out"}]
    assert hooks.call("verdict", {})[1]["output"] == {"allow": False, "denials": denials}


def test_a_module_is_told_of_the_event(hooks):
    event = hooks.call("event", {}, "?tenant=shop/m7")[1]["output"]
    assert event["type"] == "carrel.hook"
    assert event["source"] == "shop"
    assert event["subject"] == "event"
    assert event["binding"] == "b0"
    assert event["tenant"] == "shop/m7"


@pytest.mark.parametrize(("name", "at"), [("malformed", ""), ("twice", ""), ("violating", "/discount"), ("text", "")])
def test_an_answer_the_point_does_not_take_is_the_modules_fault(hooks, name, at):
    status, problem = hooks.call(f"answer.{name}", {})
    assert (status, problem["code"], problem["binding"]) == (502, "hook_answer", "b0")
    assert problem["problems"][0]["at"] == at
    assert problem["runs"][0]["status"] == "refused"


def test_a_verdict_is_one(hooks):
    status, problem = hooks.call("not-a-verdict", {})
    assert (status, problem["code"]) == (502, "hook_answer")
    assert problem["problems"] == [{"at": "/allow", "message": "is not true or false"}]


def test_html_is_made_safe_where_the_point_says_so(hooks):
    assert hooks.call("fragment", {})[1]["output"] == {"html": "<b>new</b>", "n": 1}
    status, problem = hooks.call("fragment.bad", {})
    assert (status, problem["problems"][0]["at"]) == (502, "/html")


@pytest.mark.parametrize("act", BAD)
def test_a_module_that_misbehaves_fails_its_point_or_is_skipped(hooks, act):
    codes = {
        "deep": "hook_answer",
        "huge": "hook_answer",
        "loop": "guest_cpu_limit",
        "sleep": "guest_timeout",
        "exit": "guest_exited",
    }
    begin = time.monotonic()
    status, problem = hooks.call(f"bad.{act}", {})
    assert status in (502, 504)
    assert problem["code"] == codes.get(act, "guest_trapped")
    assert problem["binding"] == "b0"
    status, made = hooks.call(f"skip.{act}", {})
    assert (status, made["output"]) == (200, [2])
    assert made["runs"][1]["status"] == "answered"
    assert time.monotonic() - begin < 8


def test_a_default_stands_for_who_failed(hooks):
    assert hooks.call("default.first", {})[1]["output"] == {"discount": 0}
    assert hooks.call("default.all", {})[1]["output"] == [{"discount": 0}, {"discount": 5}]


def test_the_deadline_is_for_all_together(hooks):
    begin = time.monotonic()
    status, made = hooks.call("late", {})
    assert time.monotonic() - begin < 3
    assert (status, made["output"]) == (200, [])
    assert [run["code"] for run in made["runs"]] == ["hook_late", "hook_late"]
    assert made["runs"][1]["micros"] == 0  # it was not begun
    status, problem = hooks.call("late.fail", {})
    assert (status, problem["code"], problem["binding"]) == (504, "hook_late", "b0")


def test_a_module_that_keeps_failing_is_parked_and_its_owner_told(hooks):
    statuses = [hooks.call("parked", {})[1]["runs"][0]["status"] for _ in range(40)]
    assert statuses[0] == "failed"
    assert statuses[-1] == "parked"  # on each shard by its own count
    assert hooks.call("parked", {})[1]["output"] == [2]
    assert '"event":"hook_parked"' in hooks.server.log
    assert "the tax table is missing" in hooks.server.log


def test_what_a_module_keeps_is_kept_if_its_answer_is_accepted(hooks, run_carrel):
    assert hooks.call("keep", {})[1]["output"] == {"discount": 1}
    assert hooks.call("keep", {})[1]["output"] == {"discount": 1}
    assert value_of(run_carrel, hooks, "shop") == "2"
    status, made = hooks.call("keep.bad", {})
    assert (status, made["output"], made["runs"][0]["status"]) == (200, None, "refused")
    assert value_of(run_carrel, hooks, "shop") == "2"


def test_customers_modules_run_in_their_own_tenants(hooks, run_carrel):
    made = hooks.call("tenants", {}, "?tenant=shop/m1")[1]
    assert made["output"] == [{"discount": 0}, {"discount": 1}]
    assert [run["tenant"] for run in made["runs"]] == ["shop", "shop/m1"]
    assert value_of(run_carrel, hooks, "shop/m1") == "1"
    assert value_of(run_carrel, hooks, "shop/m2") is None
    assert len(hooks.call("tenants", {})[1]["output"]) == 3  # nobody in particular: all of them
    assert value_of(run_carrel, hooks, "shop/m2") == "1"
    assert [run["tenant"] for run in hooks.call("tenants", {}, "?tenant=shop")[1]["runs"]] == ["shop"]


def test_the_command_line_lists_and_calls_points(hooks, run_carrel, tmp_path):
    def hook(*words, **more):
        return run_carrel("hook", *words, "--state", hooks.server.state, **more)

    listed = hook("list").stdout
    assert "chain (chain)\n  b0 in shop\n" in listed
    assert "  b1 in shop/m1\n" in listed
    (tmp_path / "cart.json").write_text('{"total": 5}')
    done = hook("call", "chain", tmp_path / "cart.json")
    assert json.loads(done.stdout) == {"total": 5, "one": 1, "two": 1}
    done = hook("call", "event", "--tenant", "shop/m7", "--json", input="{}")
    assert json.loads(done.stdout)["runs"][0]["status"] == "answered"
    assert "/total" in hook("call", "echo", input='{"total": "x"}').stderr
    assert "b0" in hook("call", "answer.violating", input="{}").stderr
    assert hook("call", "none", input="{}").returncode == 3
    assert hook("call").returncode == 2
    assert hook("list", "echo").returncode == 2
    lost = run_carrel("hook", "list", "--state", tmp_path / "nothing")
    assert "[[hook]]" in lost.stderr
    there = run_carrel(
        "hook", "list", "--server", f"http://127.0.0.1:{hooks.port}", "--token-file", hooks.server.state / "token"
    )
    assert there.stdout == listed


def test_a_component_is_a_module_too(tmp_path, guests):
    component = guests("hook_component")
    made = Points(tmp_path / "app")
    made.app.module("component", component)
    made.app.text += '\n[[hook]]\npoint = "p"\ncombine = "chain"\n[[hook.bind]]\nmodule = "component"\n'
    made.app.text += 'config = { ACT = "add", NAME = "component" }\n'
    made.app.write()
    state = tmp_path / "state"
    with Server(["serve", made.app.folder, "--port", "0", "--admin", "off", "--state", state]) as server:
        assert Caller(server, state).call("p", {"a": 2})[1]["output"] == {"a": 2, "component": 1}


def test_an_app_is_called_by_its_host_name(tmp_path):
    for name in ("one", "two"):
        made = Points(tmp_path / name, name)
        made.point("event", "first", "", [("event", {})])
    state = tmp_path / "state"
    folders = (tmp_path / "one", tmp_path / "two")
    with Server(["serve", *folders, "--port", "0", "--admin", "off", "--state", state]) as server:
        caller = Caller(server, state)
        for name in ("one", "two"):
            _, made, _ = caller.ask(
                "POST", "/v1/hooks/event:invoke", "{}", headers={"host": f"{name}.localhost:{caller.port}"}
            )
            assert made["output"]["source"] == name
        assert caller.ask("POST", "/v1/hooks/event:invoke", "{}")[0] == 404


def test_the_listener_is_there_if_it_has_something_to_do(tmp_path):
    app = App(tmp_path / "app").wat("m", '(module (func (export "_start")))').route("GET /", "m")
    state = tmp_path / "state"
    with Server(["serve", app.folder, "--port", "0", "--admin", "off", "--state", state]) as server:
        assert "hook points at" not in server.log


def test_dev_follows_a_schema_that_changes(tmp_path):
    made = Points(tmp_path / "app")
    made.point("echo", "first", 'input = "cart.json"', [("echo", {})])
    state = tmp_path / "state"
    with Server(["dev", made.app.folder, "--port", "0", "--state", state]) as server:
        caller = Caller(server, state)
        assert caller.call("echo", {})[0] == 422
        (made.app.folder / "cart.json").write_text("{}")
        for _ in range(200):
            if caller.call("echo", {})[0] == 200:
                break
            time.sleep(0.05)
        assert caller.call("echo", {})[1]["output"] == {}
