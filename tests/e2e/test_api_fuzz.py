"""The /v1 API under requests made from its own description, good and bad: it answers each as it says it does."""

import os
from pathlib import Path

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from wat import guest

from support import App, Server

ROOT = Path(os.environ.get("CARREL_ROOT", Path(__file__).parents[2]))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]

description = schemathesis.openapi.from_path(ROOT / "src/api/openapi.yaml")
description.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
# A backup writes to any folder that the operator names.
operations = description.exclude(operation_id="backup")


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    app = App(folder / "app", "shop").wat("page", guest()).route("GET /", "page")
    state = folder / "state"
    with Server(["serve", app.folder, "--port", "0", "--admin", "127.0.0.1:0", "--state", state]) as server:
        server.url = f"http://127.0.0.1:{server.admin_port}"
        server.session = requests.Session()
        server.token = (state / "token").read_text().strip()
        yield server
        assert server.get("/")[0] == 200
        assert server.stop() == 0


@operations.parametrize()
@hypothesis.settings(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
)
def test_it_answers_as_it_says(case, node):
    for endless in ("watch", "follow"):
        (case.query or {}).pop(endless, None)
    headers = {"Authorization": f"Bearer {node.token}"}
    answer = case.call(base_url=node.url, session=node.session, headers=headers, timeout=10)
    case.validate_response(answer, checks=CHECKS)
