"""Docker and Podman of the tests' own: private sockets and data roots, no network, no registry.

Each offers `host` (the socket as --docker-host takes it), `import_image`, and its container list. Where
one cannot run it says so in `why_not`, and the tests that need it are skipped loudly.
"""
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from tailgate import BIN, wait_for

APPLETS = "sh cat echo env grep head id kill ls mkdir printf ps rm seq sleep stat test tr true uname wc yes dd".split()


def static_runner():
    """A runner that needs nothing of an image; a sanitizer's is linked dynamically, so then the dev build's."""
    for path in (BIN / "tailgate-runner", pathlib.Path("build/dev/bin/tailgate-runner").resolve()):
        if path.exists() and subprocess.run(["ldd", path], capture_output=True).returncode != 0:
            return str(path)
    return None


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("engine", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Engine:
    """What both have in common."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix=f"tg-{self.name}-", dir="/tmp"))
        self.socket = self.dir / "engine.sock"
        self.process = None

    @property
    def host(self):
        return f"unix://{self.socket}"

    def api(self, method, path, body=None, headers=None):
        """(status, parsed JSON or None) of the engine's own API."""
        connection = UnixConnection(str(self.socket))
        try:
            connection.request(method, path, body=body, headers=headers or {})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, None

    def is_up(self):
        try:
            return self.api("GET", "/_ping")[0] == 200
        except OSError:
            return False

    def start(self):
        self.log = open(self.dir / "log", "ab")
        self.process = subprocess.Popen(self.command(), stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
                                        cwd=self.dir,
                                        env={**os.environ, **self.environment()}, start_new_session=True)
        wait_for(lambda: self.is_up() or self.process.poll() is not None, f"{self.name} to answer")
        assert self.process.poll() is None, (self.dir / "log").read_text()[-2000:]
        return self

    def stop(self, signum=signal.SIGTERM):
        self.process.send_signal(signum)
        self.process.wait(60)

    def import_image(self, name, applets=APPLETS, shell=True):
        """An image of busybox alone; without a shell when that is what is tested."""
        with tempfile.TemporaryDirectory(dir="/tmp") as root:
            bin_dir = pathlib.Path(root, "bin")
            bin_dir.mkdir()
            for sub in ("etc", "tmp", "proc", "dev"):
                pathlib.Path(root, sub).mkdir()
            pathlib.Path(root, "etc/passwd").write_text("root:x:0:0::/:/bin/sh\nnode:x:1000:1000::/:/bin/sh\n")
            pathlib.Path(root, "etc/group").write_text("root:x:0:\nnode:x:1000:\n")
            shutil.copy("/bin/busybox", bin_dir / "busybox")
            for applet in applets:
                if shell or applet != "sh":
                    (bin_dir / applet).symlink_to("busybox")
            tar = subprocess.run(["tar", "-C", root, "-c", "."], check=True, capture_output=True).stdout
        repository, _, tag = name.partition(":")
        status, answer = self.api("POST", f"/images/create?fromSrc=-&repo={repository}", tar,
                                  {"Content-Type": "application/x-tar"})
        assert status == 200, answer
        # Podman takes no tag with an import.
        status, answer = self.api("POST", f"/images/{repository}/tag?repo={repository}&tag={tag or 'latest'}")
        assert status == 201, answer

    def containers(self):
        return self.api("GET", "/containers/json?all=true")[1]

    def close(self):
        if self.process and self.process.poll() is None:
            for container in self.containers() or []:
                self.api("DELETE", f"/containers/{container['Id']}?force=true")
            self.stop()
        for mount in reversed(pathlib.Path("/proc/mounts").read_text().splitlines()):
            if str(self.dir) in mount:
                subprocess.run(["umount", "-l", mount.split()[1]], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


class Docker(Engine):
    name = "docker"

    def __init__(self, *flags):
        super().__init__()
        self.flags = flags

    @staticmethod
    def why_not():
        return None if os.getuid() == 0 and shutil.which("dockerd") else "dockerd needs root and the package docker.io"

    def command(self):
        return ["dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=overlay2",
                "-H", self.host, "--data-root", str(self.dir / "data"), "--exec-root", str(self.dir / "exec"),
                "-p", str(self.dir / "pid"), *self.flags]

    def environment(self):
        return {}


class Podman(Engine):
    name = "podman"

    @staticmethod
    def why_not():
        return None if os.getuid() == 0 and shutil.which("podman") else "podman needs root and the package podman"

    def command(self):
        return ["podman", "--root", str(self.dir / "root"), "--runroot", str(self.dir / "run"), "--cgroup-manager",
                "cgroupfs", "--events-backend", "file", "system", "service", "--time", "0", self.host]

    def environment(self):
        path = self.dir / "containers.conf"
        path.write_text('[containers]\ndefault_ulimits=["nofile=20000:20000","nproc=1000:1000"]\n'
                        '[engine]\nruntime="runc"\n')
        registries = self.dir / "registries.conf"  # as Docker does by itself
        registries.write_text('[[registry]]\nlocation = "127.0.0.1"\ninsecure = true\n')
        return {"CONTAINERS_CONF": str(path), "CONTAINERS_REGISTRIES_CONF": str(registries)}
