"""Endpoints at hook points: signed requests to somebody's server that answers well, badly, late or not at all."""

import base64
import json
import subprocess
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from receiver import Receiver
from support import CARREL, serving
from test_hook_events import JSON, Shop, until

OLD, NEW = ("whsec_" + base64.b64encode(text * 24).decode() for text in (b"o", b"n"))


def endpoint(url, name="crm", more=""):
    return f'name = "{name}"\nendpoint = "{url}"\nsecret = "KEY"\n{more}'


@pytest.fixture(scope="module")
def receiver():
    with serving(Receiver()) as made:
        yield made


@pytest.fixture(scope="module")
def shop(tmp_path_factory, receiver):
    made = Shop(tmp_path_factory.mktemp("endpoints"))
    url = receiver.url
    quick = 'retry = ["20ms", "20ms", "20ms"]\ndeadline = "400ms"'
    for name in ("plain", "flaky", "hang", "close", "away", "garbage", "gone", "busy", "down", "rotate"):
        made.point(name, quick, [endpoint(f"{url}/{name}")])
    made.point("days", 'retry = ["20ms"]', [endpoint(f"{url}/days", more='disable_after = "1s"')])
    for mode in ("binary", "structured"):
        made.point(mode, quick, [endpoint(f"{url}/{mode}", more=f'format = "cloudevents-{mode}"')])
    made.point("private", "retry = []", [endpoint("https://10.1.2.3/")])
    made.point("unset", "retry = []", [endpoint(f"{url}/unset").replace("KEY", "NONE")])
    made.point("tenant", quick, [endpoint(f"{url}/tenant", more='tenant = "m1"')])
    for name in ("call", "call.garbage", "call.late", "call.fails", "call.away", "call.huge"):
        made.app.text += (
            f'\n[[hook]]\npoint = "{name}"\ncombine = "first"\non_failure = "fail"\ndeadline = "400ms"\n'
            f'output = "order.json"\n[[hook.bind]]\n{endpoint(f"{url}/{name}")}\n'
        )
    made.app.write()
    made.start("--allow-egress", "127.0.0.0/8")
    for tenant, key in (("shop", NEW), ("shop/m1", OLD)):
        words = [CARREL, "secret", "set", tenant, "KEY", "--state", made.state]
        subprocess.run(words, input=key, check=True, text=True, capture_output=True)
    yield made
    assert made.server.stop() == 0


def verify(seen, key=NEW):
    return Webhook(key).verify(seen.body, seen.headers)


def attempts(shop, point):
    (known,) = shop.ask("GET", f"/v1/hooks/{point}/endpoints")[1]["endpoints"]
    return known


def test_an_event_arrives_signed(shop, receiver):
    status, made, _ = shop.emit("plain", {"total": 1.5})
    assert status == 202
    (seen,) = receiver.wait_for("/plain", 1)
    told = verify(seen)
    assert told["type"] == "plain"
    assert told["data"] == {"total": 1.5}
    assert told["timestamp"].endswith("Z")
    assert seen.headers["webhook-id"] == made["id"]
    with pytest.raises(WebhookVerificationError):
        verify(seen, OLD)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(seen.body.replace(b"1.5", b"0.5"), seen.headers)
    known = until(lambda: attempts(shop, "plain")["attempts"] and attempts(shop, "plain"))
    assert known["disabled"] is False
    assert known["attempts"][0]["status"] == 200
    assert known["attempts"][0]["id"] == made["id"]
    assert "cause" not in known["attempts"][0]


def test_cloud_events_go_out_in_both_modes(shop, receiver):
    event = {
        "specversion": "1.0",
        "id": "caf\u00e9 1",
        "source": "/orders",
        "type": "order.created",
        "subject": "7",
        "tenant": "m1",
        "data": {"total": 2},
    }
    for mode in ("binary", "structured"):
        headers = {"content-type": "application/cloudevents+json"}
        status, made, _ = shop.ask("POST", f"/v1/hooks/{mode}:emit", json.dumps(event), headers)
        assert status == 202
        (seen,) = receiver.wait_for(f"/{mode}", 1)
        told = verify(seen)
        assert seen.headers["webhook-id"] == made["id"]
        if mode == "binary":
            assert told == {"total": 2}
            assert seen.headers["content-type"] == "application/json"
            assert seen.headers["ce-id"] == "caf%C3%A9%201"
            assert seen.headers["ce-type"] == "order.created"
            assert seen.headers["ce-subject"] == "7"
            assert seen.headers["ce-tenant"] == "m1"
        else:
            assert seen.headers["content-type"] == "application/cloudevents+json"
            assert {name: told[name] for name in event} == event


def test_keys_change_with_an_overlap(shop, receiver, run_carrel):
    def change(text):
        assert run_carrel("secret", "set", "shop", "KEY", "--state", shop.state, input=text).returncode == 0
        shop.emit("rotate", {})
        return receiver.wait_for("/rotate", len(receiver.at("/rotate")) + 1)[-1]

    seen = change(f"{NEW}\n{OLD}\n")
    verify(seen, NEW)
    verify(seen, OLD)
    seen = change(NEW)
    verify(seen, NEW)
    with pytest.raises(WebhookVerificationError):
        verify(seen, OLD)


def test_a_customers_endpoint_is_signed_with_its_own_key(shop, receiver):
    shop.emit("tenant", {})
    (seen,) = receiver.wait_for("/tenant", 1)
    verify(seen, OLD)


def test_what_fails_is_sent_again_under_the_same_id(shop, receiver):
    receiver.answers["/flaky"] = [500, "close", 204]
    _, made, _ = shop.emit("flaky", {})
    seen = receiver.wait_for("/flaky", 3)
    assert {each.headers["webhook-id"] for each in seen} == {made["id"]}
    for each in seen:
        verify(each)
    until(lambda: len(attempts(shop, "flaky")["attempts"]) == 3)
    known = attempts(shop, "flaky")
    assert "failing_since" not in known
    assert [each.get("status") for each in known["attempts"]] == [204, None, 500]
    assert "egress" in known["attempts"][1]["cause"]
    assert shop.listed("flaky") == []


def test_an_answer_with_garbage_is_an_answer_of_an_event(shop, receiver):
    receiver.answers["/garbage"] = [(200, {}, b"\xff\x00<html>")]
    shop.emit("garbage", {})
    until(lambda: [each["status"] for each in attempts(shop, "garbage")["attempts"]] == [200])
    assert shop.listed("garbage", "open") == []


@pytest.mark.parametrize(
    ("point", "answer", "cause"),
    [
        ("hang", "hang", "egress_timeout"),
        ("away", (302, {"location": "http://127.0.0.1:1/inner"}, ""), "302"),
        ("down", 503, "it answered 503"),
    ],
)
def test_what_goes_on_failing_is_a_dead_letter(shop, receiver, point, answer, cause):
    receiver.answers[f"/{point}"] = [answer]
    _, made, _ = shop.emit(point, {})
    (dead,) = until(lambda: shop.listed(point))
    assert (dead["id"], dead["attempts"]) == (made["id"], 4)
    assert cause in dead["cause"]
    assert len(receiver.at(f"/{point}")) == 4
    assert receiver.at("/inner") == []
    assert "failing_since" in attempts(shop, point)


def test_who_is_busy_is_left_alone_as_long_as_it_asks(shop, receiver):
    receiver.answers["/busy"] = [(429, {"retry-after": "1"}, ""), 200]
    shop.emit("busy", {})
    first, second = receiver.wait_for("/busy", 2)
    assert second.at - first.at >= 0.95


def test_who_is_gone_is_not_told_again_until_it_is_enabled(shop, receiver, run_carrel):
    receiver.answers["/gone"] = [410, 200]
    shop.emit("gone", {})
    until(lambda: len(shop.listed("gone")) == 1)
    known = attempts(shop, "gone")
    assert known["disabled"] is True
    assert "410" in known["why"]
    assert '"event":"endpoint_disabled"' in shop.server.log
    shop.emit("gone", {})
    dead = until(lambda: len(shop.listed("gone")) == 2 and shop.listed("gone"))
    assert "disabled" in dead[1]["cause"]
    assert len(receiver.at("/gone")) == 1

    def hook(*words):
        return run_carrel("hook", *words, "--state", shop.state)

    assert "disabled" in hook("endpoints", "gone").stdout
    assert hook("enable", "gone", "--binding", "none").returncode == 3
    assert hook("enable", "gone").returncode == 2
    assert hook("enable", "gone", "--binding", "crm").returncode == 0
    assert "2 are" in hook("redrive", "gone", "--binding", "crm").stdout
    receiver.wait_for("/gone", 3)
    until(lambda: shop.listed("gone") == [] and shop.listed("gone", "open") == [])
    assert "well" in hook("endpoints", "gone").stdout


def test_an_endpoint_that_only_fails_is_disabled_in_the_end(shop, receiver):
    receiver.answers["/days"] = [500]
    shop.emit("days", {})
    until(lambda: shop.listed("days"))
    assert attempts(shop, "days")["disabled"] is False
    time.sleep(1.1)
    shop.emit("days", {})
    until(lambda: attempts(shop, "days")["disabled"])
    assert "nothing but failures" in attempts(shop, "days")["why"]


def test_private_addresses_are_not_called(shop):
    shop.emit("private", {})
    (dead,) = until(lambda: shop.listed("private"))
    assert "egress_address" in dead["cause"]


def test_nothing_leaves_unsigned(shop, receiver):
    shop.emit("unset", {})
    (dead,) = until(lambda: shop.listed("unset"))
    assert "the secret NONE of tenant shop is not set" in dead["cause"]
    assert receiver.at("/unset") == []


def call(shop, point, value):
    return shop.ask("POST", f"/v1/hooks/{point}:invoke", json.dumps(value))[:2]


def test_an_endpoint_answers_calls_as_a_module_does(shop, receiver):
    receiver.answers["/call"] = [(200, {}, {"total": 7}), (200, {}, ""), (204, {}, "")]
    status, made = call(shop, "call", {"total": 1})
    assert (status, made["output"]) == (200, {"total": 7})
    assert made["runs"][0]["status"] == "answered"
    (seen,) = receiver.at("/call")
    assert verify(seen) == {"total": 1}
    status, made = call(shop, "call", {"total": 1})
    assert (made["output"], made["runs"][0]["status"]) == (None, "passed")


@pytest.mark.parametrize(
    ("point", "answer", "code"),
    [
        ("call.garbage", (200, {}, "<html>"), "hook_answer"),
        ("call.late", "hang", "hook_late"),
        ("call.fails", 500, "egress_bad_response"),
        ("call.away", (302, {"location": "http://127.0.0.1:1/inner"}, ""), "egress_bad_response"),
        ("call.huge", (200, {}, b" " * (2 << 20)), "egress_too_large"),
    ],
)
def test_an_endpoint_that_answers_badly_is_to_blame(shop, receiver, point, answer, code):
    receiver.answers[f"/{point}"] = [answer]
    begin = time.monotonic()
    status, problem = call(shop, point, {"total": 1})
    assert status in (502, 504)
    assert (problem["code"], problem["binding"]) == (code, "crm")
    assert time.monotonic() - begin < 2


def test_no_endpoint_misses_an_event_when_the_server_is_killed(tmp_path, receiver, run_carrel):
    made = Shop(tmp_path)
    made.point("killed", 'retry = ["10ms", "10ms", "10ms", "10ms", "10ms"]', [endpoint(f"{receiver.url}/killed")])
    made.start("--allow-egress", "127.0.0.0/8")
    assert run_carrel("secret", "set", "shop", "KEY", "--state", made.state, input=NEW).returncode == 0
    ids = set()
    for _ in range(3):
        for n in range(30):
            status, told, _ = made.emit("killed", {"n": n})
            assert status == 202
            ids.add(told["id"])
        made.kill()  # some have been told of, some not
        made.start("--allow-egress", "127.0.0.0/8")
    until(lambda: made.listed("killed", "open") == [], 60)
    assert made.listed("killed") == []
    seen = receiver.at("/killed")
    assert {each.headers["webhook-id"] for each in seen} == ids
    for each in seen:
        verify(each)
    assert made.server.stop() == 0


def test_an_endpoint_is_told_the_trace_of_who_called_and_of_who_told(shop, receiver):
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    receiver.answers["/call"] = [(200, {"content-type": "application/json"}, {"total": 1})]
    before = len(receiver.at("/call"))
    shop.ask("POST", "/v1/hooks/call:invoke", body=json.dumps({"total": 1}), headers={**JSON, "traceparent": trace})
    seen = receiver.wait_for("/call", before + 1)[-1]
    assert seen.headers["traceparent"] == trace  # nobody records spans here: as it came
    before = len(receiver.at("/plain"))
    assert shop.emit("plain", {"total": 2}, traceparent=trace, tracestate="a=1")[0] == 202
    seen = receiver.wait_for("/plain", before + 1)[-1]
    assert seen.headers["traceparent"] == trace
    assert seen.headers["tracestate"] == "a=1"
