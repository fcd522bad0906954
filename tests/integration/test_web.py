"""The viewer as tailgated serves it: caching, encodings, policy, its paths and no others, and the session that it asks for."""
import gzip
import http.client
import json
import re
import urllib.parse

import pytest
from people import make_user

ID = "0000512b00000001aabbccddeeff0011"
PATHS = ["/", "/executions", "/executions/", f"/executions/{ID}", f"/executions/{ID},{ID}", f"/executions/{ID}%2C{ID}", f"/?execution_id={ID}",
         "/run", f"/run?from={ID}", "/secrets", "/images", "/users", "/keys", "/health", "/audit", "/settings", "/settings/"]
NO_PATHS = ["/index.html", "/nothing", "/page.js", "/web", f"/executions/{ID}/logs", "/executions/x", f"/executions/{ID},",
            f"/executions/{','.join([ID] * 9)}", "/assets/", "/assets/none.js", "/favicon.ico", "/SETTINGS"]
# As they are: no client of ours may tidy them up first.
TRAVERSALS = ["/../etc/passwd", "/assets/../../etc/passwd", "/assets/..%2f..%2fetc%2fpasswd", "/assets/%2e%2e/index.html",
              "/assets/....//....//etc/passwd", "//etc/passwd", "/assets//etc/passwd", "/assets/\\..\\index.html", "/assets/%00index.html",
              "/executions/../../etc/passwd", "/assets/%252e%252e/index.html"]


@pytest.fixture(scope="module")
def assets(daemon):
    """Every file that the page names, and those that these name in turn."""
    page = daemon.request("GET", "/", key=None).body.decode()
    found = set(re.findall(r'(?:src|href)="(/assets/[^"]+)"', page))
    assert any(a.endswith(".js") for a in found) and any(a.endswith(".css") for a in found), page
    waiting = list(found)
    while waiting:
        text = daemon.request("GET", waiting.pop(), key=None).body.decode()
        for name in re.findall(r'["\'`./]((?:assets/)?[A-Za-z0-9_.-]+-[A-Za-z0-9_-]{8}\.(?:js|css))["\'`]', text):
            path = "/assets/" + name.removeprefix("assets/")
            if path not in found:
                found.add(path)
                waiting.append(path)
    return sorted(found)


def raw_get(daemon, target):
    parts = urllib.parse.urlsplit(daemon.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    try:
        connection.putrequest("GET", target, skip_accept_encoding=True)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


@pytest.mark.parametrize("path", PATHS)
def test_paths_of_the_viewer__the_page(daemon, path):
    answer = daemon.request("GET", path, key=None)
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-cache" and b"<!doctype html>" in answer.body.lower()


@pytest.mark.parametrize("path", NO_PATHS)
def test_other_paths__404(daemon, path):
    answer = daemon.request("GET", path, key=None)
    assert answer.status == 404 and answer.json["code"] == "NOT_FOUND"
    assert answer.headers["Cache-Control"] == "no-store"


def test_other_path_in_a_browser__404_with_a_page_that_says_so(daemon):
    answer = daemon.request("GET", "/no-such-page", key=None, headers={"Accept": "text/html,*/*;q=0.8"})
    assert answer.status == 404 and answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert b'<html lang="en">' in answer.body and answer.headers["Cache-Control"] == "no-store"
    assert daemon.get("/no-such-page", headers={"Accept": "text/html"}).json["code"] == "NOT_FOUND"


@pytest.mark.parametrize("target", TRAVERSALS)
def test_traversal__no_file_of_the_machine(daemon, target):
    status, body = raw_get(daemon, target)
    assert status in (400, 403, 404), (status, body)
    assert b"root:" not in body and b"<script" not in body


def test_index__revalidated_by_its_tag(daemon):
    first = daemon.request("GET", "/", key=None)
    tag = first.headers["ETag"]
    assert re.fullmatch(r'"[0-9a-f]{24}"', tag)
    for said in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = daemon.request("GET", "/settings", key=None, headers={"If-None-Match": said})
        assert answer.status == 304 and answer.body == b"" and answer.headers["ETag"] == tag, said
    assert daemon.request("GET", "/", key=None, headers={"If-None-Match": '"other"'}).status == 200


def test_assets__immutable_typed_and_packed(daemon, assets):
    types = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
    packed_bytes = 0
    for path in assets:
        plain = daemon.request("GET", path, key=None, headers={"Accept-Encoding": "identity"})
        assert plain.status == 200 and plain.headers["Content-Type"] == types[path.rsplit(".", 1)[1]], path
        assert plain.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Content-Encoding" not in plain.headers
        packed = daemon.request("GET", path, key=None, headers={"Accept-Encoding": "gzip, deflate, br"})
        if packed.headers["Content-Encoding"] == "gzip":
            assert packed.headers["Vary"] == "Accept-Encoding" and packed.headers["ETag"] != plain.headers["ETag"]
            assert gzip.decompress(packed.body) == plain.body and len(packed.body) < len(plain.body)
        known = daemon.request("GET", path, key=None, headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]})
        assert known.status == 304 and known.body == b""
        packed_bytes += len(packed.body)
    assert packed_bytes < 300_000  # a page that opens at once on a phone


def test_gzip_refused__plain(daemon):
    for said in ("gzip;q=0", "br", "identity", ""):
        answer = daemon.request("GET", "/", key=None, headers={"Accept-Encoding": said})
        assert answer.status == 200 and "Content-Encoding" not in answer.headers, said


def test_head__as_get_without_the_body(daemon, assets):
    for path in ("/", assets[0]):
        headers = {"Accept-Encoding": "gzip"}
        get, head = (daemon.request(method, path, key=None, headers=headers) for method in ("GET", "HEAD"))
        assert head.status == 200 and head.body == b""
        for name in ("Content-Length", "Content-Type", "ETag", "Cache-Control", "Content-Encoding", "Content-Security-Policy"):
            assert head.headers[name] == get.headers[name], name


def test_policy__nothing_foreign_and_nothing_inline(daemon, assets):
    host = urllib.parse.urlsplit(daemon.url).netloc
    for path in ("/", assets[0], "/favicon.svg", "/manifest.webmanifest"):
        answer = daemon.request("GET", path, key=None)
        rules = dict(rule.split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split("; "))
        assert rules == {
            "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "worker-src": "'self'",
            "connect-src": f"'self' ws://{host}", "img-src": "'self' data:", "manifest-src": "'self'",
            "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'",
        }, path
        assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Referrer-Policy"] == "no-referrer"
    page = daemon.request("GET", "/", key=None).body.decode()
    assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?://", page), page
    scripts = [path for path in assets if path.endswith(".js")]
    assert not [path for path in scripts if b"sourceMappingURL" in daemon.request("GET", path, key=None).body]


def test_log_url__opens_the_viewer(daemon):
    body = daemon.run("true")
    assert body["log_url"] == f"{daemon.url}/executions/{body['execution_id']}"
    assert daemon.request("GET", urllib.parse.urlsplit(body["log_url"]).path, key=None).status == 200


def test_session__who_and_what_is_allowed(daemon):
    admin = daemon.get("/session").json
    assert set(admin) == {"email", "role", "version", "may"} and admin["role"] == "admin"
    assert admin["may"]["users"] == {"list": "all", "create": "all", "delete": "all"}
    assert admin["may"]["api_keys"] == {"manage": "own"}
    developer = make_user(daemon, "developer")
    answer = daemon.get("/session", key=developer.key)
    assert answer.status == 200 and answer.headers["Cache-Control"] == "no-store"
    assert answer.json["email"] == developer.email and answer.json["role"] == "developer"
    assert answer.json["may"]["executions"] == {"create": "all", "list": "own", "read": "own", "delete": "own"}
    assert answer.json["may"]["images"] == {"use": "all", "read": "all", "delete": "own"}
    assert "users" not in answer.json["may"] and "audit" not in answer.json["may"]


def test_session__without_a_key__401(daemon):
    assert daemon.get("/session", key=None).status == 401
    answer = daemon.get("/session", key="tg_" + "A" * 49)
    assert answer.status == 401 and json.loads(answer.body)["code"] == "INVALID_API_KEY"
