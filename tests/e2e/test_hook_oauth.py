"""Endpoints that want an access token: OAuth 2.0 client credentials, from token servers good and bad."""

import base64
import json
import subprocess
import urllib.parse

import pytest

from receiver import Receiver
from support import CARREL, serving
from test_hook_endpoints import NEW, attempts, call, endpoint, verify
from test_hook_events import Shop, until

CLIENT_SECRET = "s3cret&more"


def oauth(url, scope=""):
    more = f', scope = "{scope}"' if scope else ""
    return f'oauth = {{ url = "{url}", client_id = "carrel:1", client_secret = "CLIENT"{more} }}'


def granted(token, **more):
    return (200, {"content-type": "application/json"}, {"access_token": token, "token_type": "bearer", **more})


BAD = {
    "garbage": ((200, {}, b"\xff<html>"), "no JSON"),
    "split": (granted("a\r\nx-admin: 1"), "that is none"),
    "mac": ((200, {}, {"access_token": "t", "token_type": "mac"}), "Bearer"),
    "denied": ((401, {}, {"error": "invalid_client", "error_description": CLIENT_SECRET}), "401: invalid_client"),
    "away": ((302, {"location": "http://127.0.0.1:1/"}, ""), "302"),
    "huge": ((200, {}, b" " * (1 << 20)), "egress_too_large"),
    "hang": ("hang", "egress_timeout"),
    "close": ("close", "egress_closed"),
}


@pytest.fixture(scope="module")
def receiver():
    with serving(Receiver()) as made:
        yield made


@pytest.fixture(scope="module")
def shop(tmp_path_factory, receiver):
    made = Shop(tmp_path_factory.mktemp("oauth"))
    url = receiver.url
    quick = 'retry = ["20ms"]\ndeadline = "600ms"'
    for name in ("plain", "short", "taken.back", "refused"):
        more = oauth(f"{url}/token/{name}", "events.write all")
        made.point(name, quick, [endpoint(f"{url}/{name}", more=more)])
    for name in BAD:
        made.point(
            name, 'retry = []\ndeadline = "600ms"', [endpoint(f"{url}/{name}", more=oauth(f"{url}/token/{name}"))]
        )
    made.point("private", "retry = []", [endpoint(f"{url}/private", more=oauth("https://10.1.2.3/token"))])
    bare = oauth(f"{url}/token/unset").replace("CLIENT", "NONE")
    made.point("unset", "retry = []", [endpoint(f"{url}/unset", more=bare)])
    made.app.text += (
        '\n[[hook]]\npoint = "call"\ncombine = "first"\n'
        f"[[hook.bind]]\n{endpoint(f'{url}/call', more=oauth(f'{url}/token/call'))}\n"
    )
    made.app.write()
    made.start("--allow-egress", "127.0.0.0/8")
    for name, value in (("KEY", NEW), ("CLIENT", CLIENT_SECRET + "\n")):
        words = [CARREL, "secret", "set", "shop", name, "--state", made.state]
        subprocess.run(words, input=value, check=True, text=True, capture_output=True)
    yield made
    assert made.server.stop() == 0
    assert CLIENT_SECRET not in made.server.log
    assert urllib.parse.quote(CLIENT_SECRET) not in made.server.log


def told(shop, receiver, point, count=1):
    """Emits `count` events one after the other."""
    before = len(receiver.at(f"/{point}"))
    for n in range(count):
        assert shop.emit(point, {"n": n})[0] == 202
        until(lambda: shop.listed(point, "open") == [])
    return receiver.at(f"/{point}")[before:]


def test_the_token_is_got_as_the_standard_has_it_and_used_again(shop, receiver):
    receiver.answers["/token/plain"] = [granted("first.t0ken~", expires_in=3600), granted("second")]
    seen = told(shop, receiver, "plain", 6)
    assert len(seen) == 6
    asked = receiver.at("/token/plain")
    assert 1 <= len(asked) <= 2  # each of the server's threads has its own
    assert asked[0].headers["content-type"] == "application/x-www-form-urlencoded"
    form = urllib.parse.parse_qs(asked[0].body.decode())
    assert form == {"grant_type": ["client_credentials"], "scope": ["events.write all"]}
    scheme, _, words = asked[0].headers["authorization"].partition(" ")
    name, _, secret = base64.b64decode(words).decode().partition(":")
    assert (scheme, urllib.parse.unquote(name), urllib.parse.unquote(secret)) == ("Basic", "carrel:1", CLIENT_SECRET)
    assert {each.headers["authorization"] for each in seen} <= {"Bearer first.t0ken~", "Bearer second"}
    for each in seen:
        verify(each)  # signed as well


def test_a_token_is_not_used_after_its_end(shop, receiver):
    receiver.answers["/token/short"] = [granted("t", expires_in=0)]
    assert len(told(shop, receiver, "short", 3)) == 3
    assert len(receiver.at("/token/short")) == 3


def test_a_token_that_was_taken_back_is_replaced_at_once(shop, receiver):
    receiver.answers["/token/taken.back"] = [granted("t", expires_in=3600)]
    told(shop, receiver, "taken.back", 6)  # all threads have one
    receiver.answers["/taken.back"] = [401, 200]
    before = len(receiver.at("/token/taken.back"))
    assert len(told(shop, receiver, "taken.back")) == 2
    assert len(receiver.at("/token/taken.back")) == before + 1
    assert [each.get("status") for each in attempts(shop, "taken.back")["attempts"][:1]] == [200]


def test_who_refuses_each_token_is_asked_no_more_often_than_others(shop, receiver):
    receiver.answers["/token/refused"] = [granted("t", expires_in=3600)]
    receiver.answers["/refused"] = [401]
    assert len(told(shop, receiver, "refused")) == 2  # two attempts, each with a token of its own
    (dead,) = shop.listed("refused")
    assert dead["cause"] == "it answered 401"


@pytest.mark.parametrize("name", BAD)
def test_without_a_token_nothing_is_sent(shop, receiver, name):
    receiver.answers[f"/token/{name}"] = [BAD[name][0]]
    assert told(shop, receiver, name) == []
    (dead,) = shop.listed(name)
    assert BAD[name][1] in dead["cause"]
    assert "token server" in dead["cause"]
    assert CLIENT_SECRET not in json.dumps(dead)


def test_a_token_server_is_no_way_to_private_addresses(shop, receiver):
    assert told(shop, receiver, "private") == []
    (dead,) = shop.listed("private")
    assert "egress_address" in dead["cause"]


def test_without_the_clients_secret_nobody_is_asked(shop, receiver):
    assert told(shop, receiver, "unset") == []
    (dead,) = shop.listed("unset")
    assert "the secret NONE of tenant shop is not set" in dead["cause"]
    assert receiver.at("/token/unset") == []


def test_calls_carry_a_token_as_well(shop, receiver):
    receiver.answers["/token/call"] = [granted("c", expires_in=3600)]
    receiver.answers["/call"] = [(200, {}, {"total": 3})]
    status, made = call(shop, "call", {"total": 1})
    assert (status, made["output"]) == (200, {"total": 3})
    assert receiver.at("/call")[0].headers["authorization"] == "Bearer c"
