"""What verifies signed requests, in Python and Node: what Carrel sends is taken; what anybody else sends is not."""

import base64
import json
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from receiver import Receiver
from support import serving
from test_hook_endpoints import NEW, OLD, endpoint
from test_hook_events import Shop

BINDINGS = Path(__file__).parents[2] / "bindings"
sys.path.insert(0, str(BINDINGS / "python/carrel"))

from webhook import BadSignature, Ids, Replayed, Verifier  # noqa: E402

NODE = shutil.which("node")
SCRIPT = """
const { Verifier } = require(process.argv[1]);
const answers = [];
for (const each of JSON.parse(require('node:fs').readFileSync(0))) {
  try {
    const verifier = new Verifier(each.keys, { clock: () => each.now });
    answers.push(verifier.verify(each.headers, Buffer.from(each.body, 'base64')));
  } catch (error) {
    answers.push(error.constructor.name + ': ' + error.message);
  }
}
console.log(JSON.stringify(answers));
"""
NOW = 1_800_000_000
BODY = '{"total":1.5,"name":"café"}'.encode()


def in_python(cases):
    answers = []
    for keys, headers, body, now in cases:
        try:
            answers.append(Verifier(keys, clock=lambda now=now: now).verify(headers, body))
        except (BadSignature, ValueError) as error:
            answers.append(f"{type(error).__name__}: {error}")
    return answers


def in_node(cases):
    if NODE is None:
        pytest.skip("there is no node")
    words = [
        {"keys": keys, "headers": headers, "body": base64.b64encode(body).decode(), "now": now}
        for keys, headers, body, now in cases
    ]
    done = subprocess.run(
        [NODE, "-e", SCRIPT, BINDINGS / "node/webhook.js"], input=json.dumps(words), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(params=[in_python, in_node], ids=["python", "node"])
def verify(request):
    return request.param


def signed(key=NEW, name="evt_1", seconds=NOW, body=BODY):
    """As another implementation of the standard signs it."""
    signature = Webhook(key).sign(name, datetime.fromtimestamp(seconds, UTC), body.decode())
    return {"Webhook-Id": name, "webhook-timestamp": str(seconds), "webhook-signature": signature}


def test_what_the_holder_of_the_key_sent_is_good(verify):
    both = signed() | {"webhook-signature": f"{signed(OLD)['webhook-signature']} {signed()['webhook-signature']}"}
    unknown = signed() | {"webhook-signature": f"v2,x v1a,AAAA {signed()['webhook-signature']}"}
    cases = [
        ([NEW], signed(), BODY, NOW),
        (NEW, signed(), BODY, NOW),
        ([NEW], signed(), BODY, NOW + 300),
        ([NEW], signed(), BODY, NOW - 300),
        ([OLD, NEW + "\n"], signed(), BODY, NOW),  # the receiver changes its key
        ([NEW], both, BODY, NOW),  # the sender does
        ([NEW], unknown, BODY, NOW),
        ([NEW], signed(body=b""), b"", NOW),
    ]
    assert verify(cases) == ["evt_1"] * len(cases)


FORGED = {
    "another key": ([OLD], signed(), BODY, NOW),
    "another body": ([NEW], signed(), BODY.replace(b"1.5", b"0.5"), NOW),
    "a shorter body": ([NEW], signed(), BODY[:-1], NOW),
    "a longer body": ([NEW], signed(), BODY + b"\n", NOW),
    "another id": ([NEW], signed() | {"Webhook-Id": "evt_2"}, BODY, NOW),
    "another time": ([NEW], signed() | {"webhook-timestamp": str(NOW + 1)}, BODY, NOW),
    "parts moved": ([NEW], signed(name="evt_1", seconds=18) | {"Webhook-Id": "evt"}, BODY, 18),
    "old": ([NEW], signed(), BODY, NOW + 301),
    "ahead": ([NEW], signed(), BODY, NOW - 301),
    "no time": ([NEW], signed() | {"webhook-timestamp": ""}, BODY, NOW),
    "time in words": ([NEW], signed() | {"webhook-timestamp": "now"}, BODY, NOW),
    "time that is negative": ([NEW], signed() | {"webhook-timestamp": f"-{NOW}"}, BODY, NOW),
    "time with a fraction": ([NEW], signed() | {"webhook-timestamp": f"{NOW}.0"}, BODY, NOW),
    "time with a line end": ([NEW], signed() | {"webhook-timestamp": f"{NOW}\n"}, BODY, NOW),
    "time that is huge": ([NEW], signed() | {"webhook-timestamp": "9" * 400}, BODY, NOW),
    "no signature": ([NEW], signed() | {"webhook-signature": ""}, BODY, NOW),
    "cut off": ([NEW], signed() | {"webhook-signature": signed()["webhook-signature"][:-4]}, BODY, NOW),
    "one bit": ([NEW], signed() | {"webhook-signature": signed()["webhook-signature"][:-2] + "A="}, BODY, NOW),
    "empty": ([NEW], signed() | {"webhook-signature": "v1,"}, BODY, NOW),
    "no version": ([NEW], signed() | {"webhook-signature": signed()["webhook-signature"][3:]}, BODY, NOW),
    "no base64": ([NEW], signed() | {"webhook-signature": "v1,\u00e9\u0000!"}, BODY, NOW),
    "many": ([NEW], signed() | {"webhook-signature": f"{'v1,AAAA ' * 17}{signed()['webhook-signature']}"}, BODY, NOW),
    "id with a dot": ([NEW], signed() | {"Webhook-Id": "evt.1"}, BODY, NOW),
    "id that is long": ([NEW], signed() | {"Webhook-Id": "e" * 300}, BODY, NOW),
    "twice": ([NEW], signed() | {"webhook-id": "evt_1"}, BODY, NOW),
    **{
        f"without {name}": ([NEW], {key: text for key, text in signed().items() if key.lower() != name}, BODY, NOW)
        for name in ("webhook-id", "webhook-timestamp", "webhook-signature")
    },
}


def test_what_anybody_else_sent_is_not(verify):
    answers = dict(zip(FORGED, verify(list(FORGED.values())), strict=True))
    assert {name: answer for name, answer in answers.items() if not answer.startswith("BadSignature: ")} == {}


def test_a_key_that_is_none_is_said_at_once(verify):
    for key in ("", "whsec_", "whsec_AAAA", "whsec_" + "!" * 32, "whsec_" + "A" * 100, NEW[6:], "whsk_" + NEW[6:]):
        (answer,) = verify([([key], signed(), BODY, NOW)])
        assert answer.startswith(("ValueError: ", "RangeError: ")), key
        assert NEW[6:] not in answer
    assert verify([([], signed(), BODY, NOW)])[0].startswith(("ValueError: ", "RangeError: "))


def test_what_was_done_is_not_done_again():
    ids = Ids(most=2)
    verifier = Verifier(NEW, ids=ids, clock=lambda: NOW)
    assert verifier.verify(signed(), BODY) == "evt_1"
    assert verifier.verify(signed(), BODY) == "evt_1"  # it was not done: the sender tries again
    verifier.done("evt_1")
    with pytest.raises(Replayed):
        verifier.verify(signed(), BODY)
    with pytest.raises(BadSignature, match="no signature"):
        verifier.verify(signed(OLD), BODY)  # who has no key learns nothing of what was done
    for name in ("evt_2", "evt_3"):
        verifier.done(verifier.verify(signed(name=name), BODY))
    assert verifier.verify(signed(), BODY) == "evt_1"  # it is bounded
    with pytest.raises(TypeError):
        verifier.verify(signed(), BODY.decode())


@pytest.mark.skipif(NODE is None, reason="there is no node")
def test_what_was_done_is_not_done_again_in_node():
    script = """
      const { Ids, Replayed, Verifier } = require(process.argv[1]);
      const [key, headers, text] = JSON.parse(require('node:fs').readFileSync(0));
      const verifier = new Verifier(key, { ids: new Ids(2), clock: () => Number(headers['webhook-timestamp']) });
      const body = Buffer.from(text);
      const again = () => {
        try { return verifier.verify(headers, body); } catch (error) { return error instanceof Replayed; }
      };
      console.log(JSON.stringify([again(), again(), verifier.done('evt_1') ?? 0, again()]));
    """
    words = json.dumps([NEW, signed(), BODY.decode()])
    done = subprocess.run(
        [NODE, "-e", script, BINDINGS / "node/webhook.js"], input=words, capture_output=True, text=True
    )
    assert json.loads(done.stdout) == ["evt_1", "evt_1", 0, True], done.stderr


# Seed and public key of RFC 8032, section 7.1, test 1.
SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")


def test_what_carrel_sends_is_good(tmp_path, run_carrel):
    with serving(Receiver()) as receiver:
        shop = Shop(tmp_path)
        shop.point("signed", "retry = []", [endpoint(f"{receiver.url}/signed", more='format = "cloudevents-binary"')])
        shop.start("--allow-egress", "127.0.0.0/8")
        keys = f"{NEW}\nwhsk_{base64.b64encode(SEED).decode()}\n"
        assert run_carrel("secret", "set", "shop", "KEY", "--state", shop.state, input=keys).returncode == 0
        _, made, _ = shop.emit("signed", {"total": 1})
        (seen,) = receiver.wait_for("/signed", 1)
        assert shop.server.stop() == 0
    now = time.time()
    own = "whpk_" + base64.b64encode(PUBLIC).decode()
    other = "whpk_" + base64.b64encode(b"\x01" + PUBLIC[1:]).decode()
    assert in_python([([NEW], seen.headers, seen.body, now)]) == [made["id"]]
    assert in_python([([OLD], seen.headers, seen.body, now)]) == ["BadSignature: no signature fits"]
    cases = [([key], seen.headers, seen.body, now) for key in (NEW, own)]
    assert in_node(cases) == [made["id"]] * 2
    forged = [([own], seen.headers, seen.body + b" ", now), ([other], seen.headers, seen.body, now)]
    for answer in in_node(forged):
        assert answer != made["id"]
