"""Repositories cloned before the command: git daemon on loopback, and the ways it can fail."""
import socket
import subprocess

import pytest
from tailgate import DEADLINE, Reader, free_port, wait_for

GIT = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@x", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@x",
       "GIT_CONFIG_GLOBAL": "/dev/null", "PATH": "/usr/bin:/bin"}


class Repository:
    """A served repository: branches main and dev, tag v1, a link that leads out, a hook-less history."""

    def __init__(self, base):
        self.path = base / "project.git"
        self.path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main", ".")
        (self.path / "src").mkdir()
        (self.path / "src" / "file").write_text("one\n")
        (self.path / "out").symlink_to("/etc")
        (self.path / "inside").symlink_to("src")
        self.commit("one")
        self.first = self.git("rev-parse", "HEAD")
        self.git("tag", "v1")
        (self.path / "src" / "file").write_text("two\n")
        self.commit("two")
        self.git("branch", "dev")
        self.port = free_port()
        self.daemon = subprocess.Popen(["/usr/lib/git-core/git-daemon", "--export-all", "--reuseaddr",
                                        f"--base-path={base}", "--listen=127.0.0.1", f"--port={self.port}",
                                        "--informative-errors", str(base)], env=GIT, stderr=subprocess.DEVNULL)
        wait_for(self.answers, "git daemon")
        self.url = f"git://127.0.0.1:{self.port}/project.git"

    def answers(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def git(self, *arguments):
        return subprocess.run(["git", *arguments], cwd=self.path, env=GIT, check=True, capture_output=True,
                              text=True).stdout.strip()

    def commit(self, message):
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def close(self):
        self.daemon.terminate()
        self.daemon.wait()


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    one = Repository(tmp_path_factory.mktemp("git"))
    yield one
    one.close()


@pytest.fixture(scope="module")
def daemon():
    from tailgate import Daemon
    one = Daemon("--git-protocols", "https,ssh,git")
    try:
        yield one.start()
    finally:
        one.close()


def system_lines(daemon, execution_id):
    reader = Reader(daemon, execution_id).read_to_end()
    return [line[2] for line in reader.lines if line[1] == "s"]


REFS = [(None, "two"), ("main", "two"), ("dev", "two"), ("v1", "one")]


@pytest.mark.parametrize("ref,wanted", REFS)
def test_clone__branch_or_tag__command_begins_in_it(daemon, repository, ref, wanted):
    fields = {"git_ref": ref} if ref else {}
    end = daemon.finish("cat src/file; basename \"$PWD\"; test \"$PWD\" = \"$(pwd)\" && echo same", git_repo=repository.url, **fields)
    assert end["status"] == "SUCCEEDED", system_lines(daemon, end["execution_id"])
    assert daemon.logs_txt(end["execution_id"]) == f"{wanted}\nrepo\nsame\n".encode()
    lines = system_lines(daemon, end["execution_id"])
    assert any("Cloning" in line for line in lines) and any("checked out" in line for line in lines), lines


@pytest.mark.parametrize("length", [40, 10])
def test_clone__commit__whole_or_cut_short(daemon, repository, length):
    end = daemon.finish("cat src/file", git_repo=repository.url, git_ref=repository.first[:length])
    assert daemon.logs_txt(end["execution_id"]) == b"one\n"


def test_clone__alone__without_history_hooks_or_token(daemon, repository):
    end = daemon.finish("git rev-list --count HEAD; ls .git/hooks 2>/dev/null | wc -l; cat .git/config; env",
                        git_repo=repository.url, env={"GITHUB_TOKEN": "ghp_abcdefgh"})
    text = daemon.logs_txt(end["execution_id"]).decode()
    assert text.startswith("1\n0\n") and "ghp_" not in text and "extraHeader" not in text
    assert "GITHUB_TOKEN=***" in text and "GIT_CONFIG" not in text


def test_git_path__below__env_file_and_directory(daemon, repository):
    end = daemon.finish("pwd | sed 's,.*/repo,repo,'; cat file; . ../.env; echo $A", git_repo=repository.url,
                        git_path="./src/", env={"A": "it's"})
    assert daemon.logs_txt(end["execution_id"]) == b"repo/src\ntwo\nit's\n"
    end = daemon.finish("cat file", git_repo=repository.url, git_path="inside")
    assert daemon.logs_txt(end["execution_id"]) == b"two\n"


FAILS = [
    ({"git_ref": "no-such-branch"}, "no-such-branch"),
    ({"git_ref": "abcdef0123456789abcdef0123456789abcdef01"}, ""),
    ({"git_path": "no/such"}, "git_path no/such"),
    ({"git_path": "src/file"}, "git_path src/file"),
]


@pytest.mark.parametrize("fields,text", FAILS)
def test_clone__fails__git_clone_failed(daemon, repository, fields, text):
    end = daemon.finish("echo never", git_repo=repository.url, **fields)
    assert (end["status"], end["reason"]) == ("FAILED", "git_clone_failed"), end
    assert end["exit_code"] > 0 and daemon.logs_txt(end["execution_id"]) == b""
    assert any(text in line for line in system_lines(daemon, end["execution_id"]))


def test_clone__nobody_answers__git_clone_failed(daemon, repository):
    end = daemon.finish("echo never", git_repo=f"git://127.0.0.1:{repository.port}/nothing.git")
    assert (end["status"], end["reason"]) == ("FAILED", "git_clone_failed")


def test_git_path__link_that_leads_out__not_entered(daemon, repository):
    end = daemon.finish("cat passwd", git_repo=repository.url, git_path="out")
    assert (end["status"], end["reason"]) == ("FAILED", "start_failed"), end
    assert daemon.logs_txt(end["execution_id"]) == b""


REFUSED = ["file:///etc", "http://127.0.0.1/x", "/etc", "-upload-pack=x", "ext::sh -c id", "https://me:pw@host/x",
           "https://token@github.com/x"]


@pytest.mark.parametrize("url", REFUSED)
def test_url__not_allowed__400(daemon, url):
    answer = daemon.request("POST", "/api/v1/run", {"command": "true", "git_repo": url})
    assert answer.status == 400 and "git_repo" in answer.json["details"], answer
    assert "pw@" not in answer.body.decode() and "token@" not in answer.body.decode()


@pytest.mark.parametrize("field,value", [("git_path", "../x"), ("git_path", "/etc"), ("git_ref", "-x"), ("git_ref", "a..b")])
def test_field__breaks_its_rule__400(daemon, repository, field, value):
    answer = daemon.request("POST", "/api/v1/run", {"command": "true", "git_repo": repository.url, field: value})
    assert answer.status == 400 and field in answer.json["details"], answer


@pytest.fixture
def silent():
    """A server that takes connections and says nothing."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen(8)
        yield f"git://127.0.0.1:{s.getsockname()[1]}/project.git"


def test_kill__during_the_clone__stopped(daemon, silent):
    i = daemon.run("echo never", git_repo=silent)["execution_id"]
    wait_for(lambda: b"Cloning" in b"".join(line[2].encode() for line in Reader(daemon, i, tail=5).read_until(1).lines),
             "the clone to begin")
    assert daemon.request("DELETE", f"/api/v1/executions/{i}").status == 200
    end = daemon.wait_status(i)
    assert (end["status"], end["exit_code"]) == ("STOPPED", 130)


def test_timeout__counts_the_clone(daemon, silent):
    end = daemon.finish("echo never", git_repo=silent, timeout=1, grace=1)
    assert (end["status"], end["exit_code"], end["reason"]) == ("FAILED", 124, "timeout")


def test_clone__survives_kill_9_of_the_server(own_daemon, silent, repository):
    daemon = own_daemon("--git-protocols", "git")
    i = daemon.run("cat src/file", git_repo=repository.url)["execution_id"]
    daemon.kill9()
    daemon.start()
    assert daemon.wait_status(i)["status"] == "SUCCEEDED"
    assert daemon.logs_txt(i) == b"two\n"


def test_protocols__bad_setting__named(own_daemon):
    daemon = own_daemon("--git-protocols", "https,ext", start=False)
    done = subprocess.run(daemon.command(), capture_output=True, text=True, cwd="/", timeout=DEADLINE)
    assert done.returncode == 2 and "--git-protocols" in done.stderr
