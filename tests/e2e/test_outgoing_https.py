"""`/http/new` over TLS: whom it believes, and what it makes of servers that do not keep to the rules."""

import contextlib
import datetime
import http.server
import socket
import ssl
import subprocess
import threading

import pytest

from support import GUESTS, App, Server, serving

ONE_DAY = datetime.timedelta(days=1)


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


class Authority:
    """Signs certificates; `roots` is what to believe it by."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder, self.roots = folder, folder / "ca.pem"
        (folder / "index.txt").touch()
        (folder / "ca.cnf").write_text(
            "[ca]\ndefault_ca=it\n[it]\ndatabase=index.txt\nnew_certs_dir=.\nrand_serial=yes\ndefault_md=sha256\n"
            "policy=any\ncopy_extensions=copy\nunique_subject=no\nemail_in_dn=no\n[any]\ncommonName=supplied\n"
        )
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        self.new_key = curve
        openssl(folder, "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=ca")

    def certificate(self, name, start=-ONE_DAY, end=ONE_DAY):
        """A server's TLS context with a certificate for this name, valid in this time."""
        now = datetime.datetime.now(datetime.UTC)
        names = ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
        openssl(self.folder, "req", "-new", *self.new_key, "-keyout", f"{name}.key", "-out", f"{name}.csr", *names)
        times = [time.strftime("%Y%m%d%H%M%SZ") for time in (now + start, now + end)]
        signed = ["-in", f"{name}.csr", "-out", f"{name}.pem", "-startdate", times[0], "-enddate", times[1]]
        signer = ["-config", "ca.cnf", "-batch", "-cert", "ca.pem", "-keyfile", "ca.key"]
        openssl(self.folder, "ca", *signer, *signed)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return context


class Service(http.server.ThreadingHTTPServer):
    """A server on the loopback, over TLS if it has a context; what was asked of it, and where it sends who asks."""

    def __init__(self, context=None):
        super().__init__(("127.0.0.1", 0), Answers)
        self.seen = []
        self.away = ""
        self.context = context

    def get_request(self):
        connection, address = super().get_request()
        if self.context is None:
            return connection, address
        return self.context.wrap_socket(connection, server_side=True), address

    def handle_error(self, *_):
        pass  # a client that does not believe it leaves


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.seen.append(self.path)
        if self.path == "/away":
            self.send_response(302)
            self.send_header("location", self.server.away)
            self.send_header("content-length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("content-length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_):
        pass


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "ca")


@pytest.fixture
def services():
    """services(CONTEXT): one more server."""
    with contextlib.ExitStack() as running:
        yield lambda context=None: running.enter_context(serving(Service(context)))


@pytest.fixture
def serve(tmp_path, state):
    """serve(GRANTS, ARGUMENT...): a server of one function that calls."""
    running = []

    def start(grants, *arguments, time="20s"):
        listed = ", ".join(f'"{grant}"' for grant in grants)
        app = App(tmp_path / "app", "calls")
        app.module(
            "keeper",
            GUESTS / "keeper.wasm",
            f'grants = {{ http = [{listed}] }}\nlimits = {{ memory = "16MiB", cpu = "1s", time = "{time}" }}',
        ).route("POST /", "keeper")
        command = ["serve", app.folder, "--port", "0", "--admin", "off", "--state", state, *arguments]
        running.append(Server([*command, "--allow-egress", "127.0.0.0/8", "--allow-egress", "::1"]))
        return running[-1]

    yield start
    for server in running:
        with server:
            assert server.stop() == 0, server.log


def call(server, url):
    """The status and the body, or the errno."""
    status, _, body = server.request("POST", "/", body=f"call GET {url}")
    assert status == 200, (status, body, server.log)
    return body.decode().removeprefix(f"call {url}: ").rstrip("\n")


def at(service, host="localhost", scheme="https"):
    return f"{scheme}://{host}:{service.server_port}"


def test_a_server_whose_certificate_is_its_own_is_called(authority, services, serve):
    service = services(authority.certificate("localhost"))
    server = serve([at(service)], "--egress-ca-file", authority.roots)
    assert call(server, at(service) + "/x") == "200 hello"
    assert service.seen == ["/x"]


def test_a_server_that_is_not_to_be_believed_is_told_nothing(tmp_path, authority, services, serve):
    stranger = Authority(tmp_path / "stranger")
    others = {
        "another name": services(authority.certificate("example.test")),
        "expired": services(authority.certificate("localhost", -2 * ONE_DAY, -ONE_DAY)),
        "not yet valid": services(authority.certificate("localhost", ONE_DAY, 2 * ONE_DAY)),
        "of an authority that nobody named": services(stranger.certificate("localhost")),
        "no TLS": services(),
    }
    server = serve([at(service) for service in others.values()], "--egress-ca-file", authority.roots)
    for what, service in others.items():
        assert call(server, at(service) + "/secret") == "ECONNABORTED", what
        assert service.seen == [], what


def test_without_roots_of_its_own_it_believes_no_private_authority(authority, services, serve):
    service = services(authority.certificate("localhost"))
    assert call(serve([at(service)]), at(service) + "/") == "ECONNABORTED"
    assert service.seen == []


def test_redirects_between_https_and_http_need_a_grant_for_each(authority, services, serve):
    secure, plain, granted = services(authority.certificate("localhost")), services(), services()
    grants = [at(secure), at(granted, scheme="http")]
    server = serve(grants, "--egress-ca-file", authority.roots)
    granted.away = at(secure) + "/up"
    assert call(server, at(granted, scheme="http") + "/away") == "200 hello"
    assert secure.seen == ["/up"]
    secure.away = at(plain, scheme="http") + "/down"
    assert call(server, at(secure) + "/away") == "EACCES"
    assert plain.seen == []
    secure.away = at(secure) + "/away"
    assert call(server, at(secure) + "/away") == "ELOOP"
    assert secure.seen.count("/away") == 1 + 6


def test_a_redirect_to_an_address_that_is_not_allowed_is_refused(services, serve):
    service = services()
    server = serve([at(service, scheme="http"), "http://10.0.0.1:80"])
    service.away = "http://10.0.0.1/"
    assert call(server, at(service, scheme="http") + "/away") == "EPERM"


@pytest.fixture
def hostile():
    """hostile(ANSWER...): a port that answers each connection with bytes, then closes it or holds it open."""
    listener = socket.create_server(("127.0.0.1", 0))
    ended, threads = threading.Event(), []

    def answer(answers, hold):
        for text in answers:
            connection, _ = listener.accept()
            with connection:
                asked = b""
                while b"\r\n\r\n" not in asked and (more := connection.recv(65536)):
                    asked += more
                try:
                    connection.sendall(text)
                except OSError:
                    continue  # it has seen enough
                if hold:
                    ended.wait(60)

    def start(*answers, hold=False):
        threads.append(threading.Thread(target=answer, args=(answers, hold)))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    ended.set()
    for thread in threads:
        thread.join(60)
    listener.close()


def test_what_is_no_response_has_its_errno(hostile, serve):
    ok = b"HTTP/1.1 200 OK\r\n"
    cases = [
        (b"", "ECONNRESET"),
        (b"SSH-2.0-x\r\n\r\n", "EPROTO"),
        (ok + b"A: " + b"x" * 100_000 + b"\r\n\r\n", "EMSGSIZE"),
        (ok + b"Content-Length: 9\r\n\r\nearly", "ECONNRESET"),
        (ok + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "EPROTO"),
        (ok + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "EPROTO"),
        (ok + b"Content-Length: 99999999999\r\nConnection: close\r\n\r\n" + b"x" * 1000, "ECONNRESET"),
    ]
    url = hostile(*(text for text, _ in cases))
    server = serve([url])
    for text, errno in cases:
        assert call(server, url + "/") == errno, text[:80]


def test_a_response_that_does_not_end_in_time_leaves_the_function_time_to_say_so(hostile, serve):
    url = hostile(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nslow", hold=True)
    assert call(serve([url], time="1s"), url + "/") == "ETIMEDOUT"
