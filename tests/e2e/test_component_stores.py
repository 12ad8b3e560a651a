"""What components keep: wasi:keyvalue, wasi:blobstore and files, on the same turn as modules."""

import concurrent.futures

import pytest
from web_component import SUMMED, TAKES, WEB, said

from support import GUESTS, App, Server

pytestmark = pytest.mark.skipif(not WEB.is_file(), reason="the component is not built")


KEYVALUE = GUESTS / "keyvalue.wasm"


@pytest.fixture(scope="module")
def stateful(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stateful-components")
    app = App(folder / "app")
    app.module("kv", KEYVALUE, 'config = { COLOUR = "blue" }\ngrants = { kv = ["things:rw", "shown:r"] }')
    app.module("web", WEB, 'grants = { kv = ["things:rw"], counters = ["hits:rw"] }')
    app.route("/*", "web")
    for operation in ["open", "get", "set", "delete", "exists", "keys", "increment", "swap", "config", "log", "many"]:
        app.route(f"/{operation}", "kv")
    for operation in ["old-increment", "late-swap", "set-and-trap"]:
        app.route(f"/{operation}", "kv")
    with Server(["serve", app.folder, "--port", "0", "--state", folder / "state"]) as running:
        yield running
        assert running.stop() == 0


def test_keys_are_those_of_the_modules_stores(stateful):
    def get(path):
        return stateful.get(path)[2]

    assert get("/open?things") == b"open"
    assert get("/open?shown") == b"open"
    assert get("/open?others") == b"no-such-store"
    assert get("/open?things/x") == b"no-such-store"
    assert get("/get?some/key") == b"(none)"
    assert get("/exists?some/key") == b"no"
    assert get("/set?some/key") == b"set"
    assert get("/get?some/key") == b"a value"
    assert get("/exists?some/key") == b"yes"
    assert get("/file?kv/things/some/key") == b"a value"  # another module's view of it
    assert get("/set?.././//%") == b"set"  # odd names are names
    assert get("/get?.././//%") == b"a value"
    assert sorted(get("/keys").split()) == [b".././//%", b"some/key"]
    assert get("/delete?some/key") == b"gone"
    assert get("/delete?some/key") == b"gone"
    assert get("/get?some/key") == b"(none)"
    assert get("/delete?.././//%") == b"gone"


def test_both_drafts_of_key_value_are_there(stateful):
    assert stateful.get("/increment?n")[2] == b"1"
    assert stateful.get("/old-increment?n")[2] == b"6"
    assert stateful.get("/many?n")[2] == b"n=6\nnone\n"
    assert stateful.get("/set?text")[2] == b"set"
    assert stateful.get("/increment?text")[2].startswith(b"other: ")


def test_a_swap_is_lost_when_the_value_has_changed(stateful):
    assert stateful.get("/swap?s")[2] == b"swapped"
    assert stateful.get("/get?s")[2] == b"swapped"
    assert stateful.get("/late-swap?s")[2] == b"lost"
    assert stateful.get("/get?s")[2] == b"meanwhile"


def test_what_a_failed_turn_wrote_is_not_kept(stateful):
    assert stateful.problem("GET", "/set-and-trap?lost")[0] == 502
    assert stateful.get("/get?lost")[2] == b"(none)"
    assert stateful.problem("GET", "/count-and-trap?kv/things/c")[0] == 502
    assert stateful.get("/count?kv/things/c")[2] == b"1"


def test_turns_that_meet_are_run_again(stateful):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: int(stateful.get("/increment?hot")[2]), range(200)))
    assert sorted(seen) == list(range(1, 201))


def test_a_client_that_retries_gets_the_first_reply(stateful):
    once = {"Idempotency-Key": "k1"}
    first = stateful.request("POST", "/count?kv/things/once", headers=once)
    second = stateful.request("POST", "/count?kv/things/once", headers=once)
    assert first[2] == second[2] == b"1"


def test_a_held_reply_has_its_trailers_and_a_repeated_one_too(stateful):
    for key in (b"", b"Idempotency-Key: t1\r\n", b"Idempotency-Key: t1\r\n"):
        got = stateful.raw(b"POST /trailers HTTP/1.1\r\n" + TAKES + key + b"\r\n")
        assert got.endswith(b"\r\n\r\n4\r\nbody\r\n0\r\nx-sum: 42\r\n\r\n"), got
    assert b"idempotency-replayed" in got
    summed = SUMMED.replace(b"\r\n\r\n", b"\r\nIdempotency-Key: t2\r\n\r\n")
    assert stateful.raw(summed + b"4\r\nsome\r\n0\r\nX-Sum: 17\r\n\r\n").endswith(b"\r\n\r\n17")
    assert stateful.problem("POST", "/bad-trailers")[1]["code"] == "guest_bad_reply"


def test_counters_are_files_for_components_too(stateful):
    assert stateful.get("/file?counters/hits/x")[0] in (200, 404)


def test_configuration_and_log_are_the_modules(stateful):
    assert stateful.get("/config?COLOUR")[2] == b"blue"
    assert stateful.get("/config?NOTHING")[2] == b""
    assert stateful.get("/log?something")[0] == 200
    assert said(stateful, "WARN place: something")


BLOBSTORE = GUESTS / "blobstore.wasm"


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    folder = tmp_path_factory.mktemp("objects")
    app = App(folder / "app")
    app.module("blobs", BLOBSTORE, 'grants = { blobs = ["files:rw", "shown:r"] }').route("/*", "blobs")
    app.module("web", WEB, 'grants = { blobs = ["files:rw"] }').route("/file", "web")
    app.module("poor", BLOBSTORE).route("/has", "poor")
    with Server(["serve", app.folder, "--port", "0", "--state", folder / "state"]) as running:
        yield running
        assert running.stop() == 0


def test_a_container_is_a_store_that_is_granted(objects):
    def get(path):
        return objects.get(path)[2]

    for name in [b"others", b"files/x", b"", b"..", b"."]:
        assert get(f"/open?{name.decode()}").startswith(b"no container "), name
        assert get(f"/exists?{name.decode()}") == b"no"
    assert get("/open?files") == get("/open?shown") == b"open"
    assert get("/exists?shown") == b"yes"
    assert get("/delete-container?files") == b"containers stay as long as they are granted"
    assert get("/has?x").startswith(b"no container ")  # another module, without a grant
    assert get("/put?x") == b"put"
    assert get("/smuggle?x") == b"access denied"  # into one that may only be read
    assert get("/delete?x") == b"gone"


def test_objects_are_blobs(objects):
    def get(path):
        return objects.get(path)[2]

    assert get("/get?a/b") == get("/size?a/b") == b"no such object"
    assert get("/put?a/b") == b"put"
    assert get("/size?a/b") == b"7"
    assert get("/size?a") == b"no such object"  # only the beginning of a name
    assert get("/get?a/b") == get("/file?blobs/files/a/b") == b"a value"  # a module sees it too
    assert get("/stream?a/b") == b"7:a value"
    assert get("/part?a/b") == b"3:val"  # the end is inclusive
    assert get("/behind?a/b") == get("/backwards?a/b") == b"no such part of the object"
    assert get("/copy?a/b") == b"done"
    assert get("/move?a/b") == b"done"
    assert get("/get?a/b") == b"no such object"
    assert get("/get?a/b-too") == b"a value"
    assert get("/has-in-other-draft?a/b-too") == b"yes"
    assert get("/has-in-other-draft?a/b") == b"no"
    assert get("/put?.././//%25") == b"put"  # odd names are names
    assert get("/put?c") == b"put"
    assert len(get("/list").split()) == 3
    assert len(get("/list-rest").split()) == 2
    assert get("/delete?c") == get("/delete?c") == b"gone"
    assert get("/clear") == b"empty"
    assert get("/list") == b""


def test_a_large_object_streams_and_says_first_where_it_goes(objects):
    assert objects.get("/put-nowhere?large")[2] == b"not written"
    assert objects.get("/finish-nowhere")[2] == b"the value was not given to write-data"
    assert objects.get("/put-large?large")[2] == b"put"
    assert objects.get("/size?large")[2] == b"1228800"
    assert objects.get("/stream?large")[2] == b"1228800:" + b"x" * 1228800
    assert objects.get("/copy?large")[2] == b"done"
    assert objects.get("/size?large-too")[2] == b"1228800"


def test_objects_of_a_failed_turn_are_none(objects):
    assert objects.get("/put?kept")[2] == b"put"
    assert objects.problem("GET", "/put-and-trap?kept")[0] == 502
    assert objects.get("/get?kept")[2] == b"a value"
    assert objects.problem("GET", "/put-and-trap?lost")[0] == 502
    assert objects.get("/get?lost")[2] == b"no such object"
