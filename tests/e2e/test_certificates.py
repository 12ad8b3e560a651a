"""Certificates from files: chosen by name, read again when they change, kept when the new ones are broken."""

import signal
import socket
import ssl
import subprocess
import time

import pytest
from wat import guest

from support import App, Server


def make(folder, name, *hosts, signed_as=None):
    """NAME.pem and NAME.key, renamed into place as an ACME client does it."""
    names = ",".join(f"DNS:{host}" for host in hosts)
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    files = ["-keyout", folder / f"{name}.key.new", "-out", folder / f"{name}.pem.new"]
    subject = ["-subj", f"/CN={signed_as or hosts[0]}", "-addext", f"subjectAltName={names}"]
    subprocess.run(
        ["openssl", "req", "-x509", *curve, "-nodes", "-days", "2", *files, *subject], check=True, capture_output=True
    )
    for kind in ("key", "pem"):
        (folder / f"{name}.{kind}.new").rename(folder / f"{name}.{kind}")


def shown(server, host):
    """The common name of the certificate that who asks for `host` is shown; None: no connection."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", server.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=host) as connection,
        ):
            der = connection.getpeercert(binary_form=True)
    except ssl.SSLError:
        return None
    command = ["openssl", "x509", "-inform", "DER", "-noout", "-subject", "-nameopt", "multiline"]
    text = subprocess.run(command, input=der, check=True, capture_output=True).stdout.decode()
    return text.rsplit("= ", 1)[1].strip()


def until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "tls"
    folder.mkdir()
    return folder


@pytest.fixture
def serve(tmp_path):
    servers = []

    def start(*arguments):
        app = App(tmp_path / "app").wat("page", guest("hello")).route("GET /", "page")
        servers.append(Server(["serve", app.folder, "--port", "0", "--state", tmp_path / "state", *arguments]))
        return servers[-1]

    yield start
    for server in servers:
        with server:
            assert server.stop() == 0, server.log


def test_names_have_certificates_of_their_own_without_one_for_all(serve, folder):
    make(folder, "shop", "shop.example", "www.shop.example")
    make(folder, "any", "*.apps.example")
    server = serve("--tls-folder", folder)
    assert shown(server, "shop.example") == shown(server, "WWW.shop.example") == "shop.example"
    assert shown(server, "a.apps.example") == "*.apps.example"
    assert shown(server, "a.b.apps.example") is None
    assert shown(server, None) is None


def test_files_that_change_are_read_by_themselves(serve, folder, tmp_path):
    make(tmp_path, "all", "node.example")
    make(folder, "shop", "shop.example", signed_as="first")
    server = serve("--tls-cert", tmp_path / "all.pem", "--tls-key", tmp_path / "all.key", "--tls-folder", folder)
    assert (shown(server, "shop.example"), shown(server, "other.example")) == ("first", "node.example")
    make(folder, "shop", "shop.example", signed_as="second")
    make(folder, "blog", "blog.example")
    until(lambda: shown(server, "shop.example") == "second")
    until(lambda: shown(server, "blog.example") == "blog.example")
    make(tmp_path, "all", "node.example", signed_as="renewed")
    until(lambda: shown(server, "other.example") == "renewed")
    (folder / "blog.pem").unlink()
    until(lambda: shown(server, "blog.example") == "renewed")


@pytest.mark.parametrize("broken", ["text", "empty", "other key", "no key"])
def test_what_is_broken_stays_as_it_was_and_is_named(serve, folder, broken):
    make(folder, "blog", "blog.example", signed_as="first")
    make(folder, "shop", "shop.example", signed_as="first")
    server = serve("--tls-folder", folder)
    if broken == "other key":
        key = (folder / "shop.key").read_text()
        make(folder, "shop", "shop.example", signed_as="second")
        (folder / "shop.key").write_text(key)
    elif broken == "no key":
        (folder / "shop.key").unlink()
    else:
        (folder / "shop.pem").write_text("" if broken == "empty" else "no certificate")
    make(folder, "blog", "blog.example", signed_as="second")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: shown(server, "blog.example") == "second")
    assert shown(server, "shop.example") == "first"
    until(lambda: "certificate_not_used" in server.log)
    assert "shop." in next(line for line in server.lines if "certificate_not_used" in line)
    make(folder, "shop", "shop.example", signed_as="third")
    until(lambda: shown(server, "shop.example") == "third")


def test_what_is_broken_from_the_start_keeps_it_from_starting(serve, folder):
    make(folder, "shop", "shop.example")
    (folder / "shop.pem").write_text("no certificate")
    with pytest.raises(AssertionError, match=r"shop\.pem"):
        serve("--tls-folder", folder)
