"""A module beside the endpoint whose place it is to take: what the two make of the same input."""

import json
import subprocess

import pytest
from standardwebhooks import Webhook

from receiver import Receiver
from support import CARREL, GUESTS, serving
from test_hook_endpoints import NEW, OLD, endpoint
from test_hook_events import Shop

DISCOUNT = {"type": "object", "required": ["discount"], "properties": {"discount": {"type": "integer"}}}


@pytest.fixture(scope="module")
def receiver():
    with serving(Receiver()) as made:
        yield made


@pytest.fixture(scope="module")
def shop(tmp_path_factory, receiver):
    made = Shop(tmp_path_factory.mktemp("shadow"))
    (made.app.folder / "discount.json").write_text(json.dumps(DISCOUNT))
    for name, act, answer, more in (
        ("five", "say", '{"discount": 5}', ""),
        ("words", "say", '"five"', ""),
        ("fails", "exit", "", ""),
        ("slow", "sleep", "", ""),
        ("big", "huge", '{"discount": 5}', ""),
        ("keeps", "keep", '{"discount": 5}', 'grants = { kv = ["hooks:rw"] }'),
        ("tells", "event", "", ""),
    ):
        config = f"config = {{ ACT = {json.dumps(act)}, ANSWER = {json.dumps(answer)} }}"
        made.app.module(name, GUESTS / "hook.wasm", f"{config}\n{more}")
    theirs = endpoint(f"{receiver.url}/theirs", "theirs", 'tenant = "m1"')
    made.app.text += (
        '\n[[hook]]\npoint = "cart"\ncombine = "first"\ninput = "order.json"\noutput = "discount.json"\n'
        f'deadline = "600ms"\n[[hook.bind]]\nmodule = "five"\n'
        f"[[hook.bind]]\n{endpoint(f'{receiver.url}/cart')}\n"
        f"[[hook.bind]]\n{theirs}\n"
    )
    made.point("paid", 'deadline = "600ms"', [endpoint(f"{receiver.url}/paid", more='format = "cloudevents-binary"')])
    made.start("--allow-egress", "127.0.0.0/8")
    for tenant, key in (("shop", NEW), ("shop/m1", OLD)):
        words = [CARREL, "secret", "set", tenant, "KEY", "--state", made.state]
        subprocess.run(words, input=key, check=True, text=True, capture_output=True)
    yield made
    assert made.server.stop() == 0


def compare(shop, module, point="cart", value=None, binding="crm"):
    body = json.dumps({"total": 1} if value is None else value)
    return shop.ask("POST", f"/v1/hooks/{point}:shadow?binding={binding}&module={module}", body)[:2]


def test_who_answers_the_same_is_the_same(shop, receiver):
    receiver.answers["/cart"] = [(200, {}, b'{ "discount":5 }')]
    before = len(receiver.at("/cart"))
    status, made = compare(shop, "five")
    assert (status, made["same"], made["differences"]) == (200, True, [])
    assert made["endpoint"]["answer"] == made["module"]["answer"] == {"discount": 5}
    assert made["endpoint"]["micros"] > 0
    seen = receiver.at("/cart")[before:]
    assert [json.loads(each.body) for each in seen] == [{"total": 1}]
    Webhook(NEW).verify(seen[0].body, seen[0].headers)


def test_what_differs_is_named_by_its_place(shop, receiver):
    receiver.answers["/cart"] = [(200, {}, {"discount": 6, "why": "VIP"})]
    status, made = compare(shop, "five")
    assert (status, made["same"]) == (200, False)
    assert made["differences"] == [
        {"at": "/discount", "endpoint": "6", "module": "5"},
        {"at": "/why", "endpoint": '"VIP"'},
    ]


@pytest.mark.parametrize(
    ("module", "code"),
    [("words", "hook_answer"), ("fails", "guest_exited"), ("slow", "guest_timeout"), ("big", "hook_answer")],
)
def test_a_module_that_would_fail_is_seen_before_the_move(shop, receiver, module, code):
    receiver.answers["/cart"] = [(200, {}, {"discount": 5})]
    status, made = compare(shop, module)
    assert (status, made["same"], made["module"]["code"]) == (200, False, code)
    assert made["endpoint"]["answer"] == {"discount": 5}
    assert made["differences"] == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (500, "egress_bad_response"),
        ("hang", "egress_timeout"),
        ("close", "egress_closed"),
        ((302, {"location": "http://127.0.0.1:1/"}, ""), "egress_bad_response"),
        ((200, {}, b"<html>"), "hook_answer"),
        ((200, {}, b" " * (2 << 20)), "egress_too_large"),
    ],
)
def test_an_endpoint_that_fails_is_no_match(shop, receiver, answer, code):
    receiver.answers["/cart"] = [answer]
    status, made = compare(shop, "five")
    assert (status, made["same"], made["endpoint"]["code"]) == (200, False, code)
    assert made["module"]["answer"] == {"discount": 5}


def test_nothing_that_the_module_changes_is_kept(shop, receiver, run_carrel):
    receiver.answers["/cart"] = [(200, {}, {"discount": 5})]
    for _ in range(3):
        assert compare(shop, "keeps")[1]["same"] is True
    assert shop.count(run_carrel) == 0


def test_the_module_has_no_more_than_the_endpoints_tenant_is_given(shop, receiver):
    before = len(receiver.at("/theirs"))
    status, problem = compare(shop, "keeps", binding="theirs")
    assert (status, problem["code"]) == (400, "invalid_argument")
    assert len(receiver.at("/theirs")) == before
    receiver.answers["/theirs"] = [(200, {}, {"discount": 5})]
    assert compare(shop, "five", binding="theirs")[1]["same"] is True
    (seen,) = receiver.at("/theirs")[before:]
    Webhook(OLD).verify(seen.body, seen.headers)


def test_of_an_event_it_counts_whether_each_would_have_it(shop, receiver):
    receiver.answers["/paid"] = [(200, {}, "thanks")]
    assert compare(shop, "tells", "paid")[1]["same"] is True
    seen = receiver.at("/paid")[-1]
    assert json.loads(seen.body) == {"total": 1}
    assert seen.headers["ce-type"] == "paid"
    made = compare(shop, "fails", "paid")[1]
    assert (made["same"], made["module"]["code"]) == (False, "guest_exited")
    assert made["endpoint"].keys() == {"micros"}
    receiver.answers["/paid"] = [410]
    assert compare(shop, "tells", "paid")[1]["endpoint"]["code"] == "egress_bad_response"
    assert shop.ask("GET", "/v1/hooks/paid/endpoints")[1]["endpoints"][0]["attempts"] == []  # it was a rehearsal


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("cart:shadow?binding=crm&module=none", "{}", 404, "not_found"),
        ("cart:shadow?binding=five&module=five", "{}", 404, "not_found"),  # no endpoint
        ("cart:shadow?binding=crm", "{}", 404, "not_found"),
        ("cart:shadow?binding=crm&module=five&x=1", "{}", 400, "invalid_argument"),
        ("none:shadow?binding=crm&module=five", "{}", 404, "not_found"),
        ("a/b:shadow?binding=crm&module=five", "{}", 404, "not_found"),
        ("cart:shadow?binding=crm&module=five", '{"total":"x"}', 422, "hook_input"),
        ("cart:shadow?binding=crm&module=five", "[" * 100, 422, "hook_input"),
        ("cart:shadow?binding=crm&module=five", "", 422, "hook_input"),
        ("cart:shadow?binding=crm&module=five", " " * (2 << 20), 413, "body_too_large"),
    ],
)
def test_what_cannot_be_compared_is_refused(shop, receiver, path, body, status, code):
    before = len(receiver.seen)
    got, problem, _ = shop.ask("POST", f"/v1/hooks/{path}", body)
    assert (got, problem["code"]) == (status, code)
    assert len(receiver.seen) == before


def test_it_needs_the_verbs_of_calling_and_of_reading_causes(shop, run_carrel):
    path = "/v1/hooks/cart:shadow?binding=crm&module=five"
    assert shop.ask("GET", path)[0] == 405
    assert shop.server.request("POST", path, body="{}")[0] == 401
    for tenant, verbs in (("shop", "invoke"), ("shop", "logs"), ("shop/m1", "invoke,logs")):
        done = run_carrel("token", "create", "--tenant", tenant, "--verbs", verbs, "--json", "--state", shop.state)
        assert shop.ask("POST", path, "{}", token=json.loads(done.stdout)["token"])[0] == 403


def test_the_command_line_reports_each_input(shop, receiver, run_carrel, tmp_path):
    for name, total in (("a", 1), ("b", 2)):
        (tmp_path / f"{name}.json").write_text(json.dumps({"total": total}))

    def shadow(*words, **more):
        return run_carrel("hook", "shadow", "cart", *words, "--state", shop.state, **more)

    both = ("--binding", "crm", "--module", "five")
    files = (tmp_path / "a.json", tmp_path / "b.json")
    receiver.answers["/cart"] = [(200, {}, {"discount": 5})]
    done = shadow(*files, *both)
    assert (done.returncode, done.stdout.count(": same")) == (0, 2)
    receiver.answers["/cart"] = [(200, {}, {"discount": 5}), (200, {}, {"discount": 7})]
    done = shadow(*files, *both)
    assert done.returncode == 1
    assert f"{tmp_path}/a.json: same" in done.stdout
    assert f"{tmp_path}/b.json: different" in done.stdout
    assert "  /discount: endpoint 7, module 5\n" in done.stdout
    done = shadow("--json", *both, input='{"total": 1}')
    assert json.loads(done.stdout)["input"] == "-"
    receiver.answers["/cart"] = [500]
    assert "the endpoint failed: egress_bad_response: it answered 500" in shadow(files[0], *both).stdout
    assert shadow(files[0], "--binding", "crm").returncode == 2
    assert shadow(files[0], "--binding", "crm", "--module", "none").returncode == 3
    assert run_carrel("hook", "call", "cart", *files, "--state", shop.state).returncode == 2
