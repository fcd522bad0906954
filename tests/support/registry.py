"""A container registry of one image, read-only, that wants a name and a password (basic, or through tokens)."""
import base64
import gzip
import hashlib
import http.server
import io
import json
import pathlib
import tarfile
import threading


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def busybox_layer():
    """The tar of a root file system with busybox alone."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name in ("bin", "etc", "tmp", "proc", "dev"):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        program = pathlib.Path("/bin/busybox").read_bytes()
        entry = tarfile.TarInfo("bin/busybox")
        entry.mode, entry.size = 0o755, len(program)
        tar.addfile(entry, io.BytesIO(program))
        for name in ("sh", "echo", "sleep"):
            entry = tarfile.TarInfo(f"bin/{name}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
    return out.getvalue()


class Registry:
    """`reference(NAME)` is the same image under any name; `refused` counts requests without the right credentials."""

    def __init__(self, user, password, tokens=False):
        self.basic = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.bearer = "Bearer let-me-in"
        self.tokens, self.refused, self.served = tokens, 0, 0
        layer = busybox_layer()
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {},
                             "rootfs": {"type": "layers", "diff_ids": [digest(layer)]}}).encode()
        packed = gzip.compress(layer, mtime=0)
        self.type = "application/vnd.docker.distribution.manifest.v2+json"
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": self.type,
            "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "size": len(config),
                       "digest": digest(config)},
            "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "size": len(packed),
                        "digest": digest(packed)}]}).encode()
        self.blobs = {digest(config): config, digest(packed): packed}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def reference(self, name):
        return f"{self.address}/{name}:1"

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def _answer(self, path, authorization):
        """(status, type, headers, body)"""
        if path.startswith("/token"):
            if authorization != self.basic:
                return 401, "application/json", {}, b"{}"
            return 200, "application/json", {}, json.dumps({"token": self.bearer.split()[1]}).encode()
        if authorization != (self.bearer if self.tokens else self.basic):
            realm = f'Bearer realm="http://{self.address}/token",service="tests"' if self.tokens else 'Basic realm="tests"'
            return 401, "application/json", {"WWW-Authenticate": realm}, b'{"errors":[{"code":"UNAUTHORIZED"}]}'
        if path.rstrip("/") == "/v2":
            return 200, "application/json", {}, b"{}"
        kind, reference = path.split("/")[-2:]
        if kind == "manifests":
            return 200, self.type, {"Docker-Content-Digest": digest(self.manifest)}, self.manifest
        if kind == "blobs" and reference in self.blobs:
            return 200, "application/octet-stream", {"Docker-Content-Digest": reference}, self.blobs[reference]
        return 404, "application/json", {}, b"{}"

    def _handler(registry):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                status, kind, headers, body = registry._answer(self.path, self.headers.get("Authorization"))
                registry.refused += status == 401
                registry.served += status == 200
                self.send_response(status)
                for name, value in {"Content-Type": kind, "Content-Length": str(len(body)),
                                    "Docker-Distribution-Api-Version": "registry/2.0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_HEAD = do_GET

            def log_message(self, *_):
                pass
        return Handler
