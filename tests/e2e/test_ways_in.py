"""What the README tells a newcomer to do."""
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
LINK = re.compile(r"(http://127\.0\.0\.1:\d+)/#/claim/([A-Za-z0-9_-]+)")


def test_quickstart_once__prints_the_sample_and_ends():
    done = subprocess.run([ROOT / "scripts/quickstart", "--once"], capture_output=True, text=True, timeout=540)
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.findall(r"^line (\d) of 5", done.stdout, re.M) == list("12345")
    assert LINK.search(done.stderr)


def link_of_quickstart(state):
    """Starts it, makes the link's key as the page does, and ends it with Ctrl-C; the key's e-mail."""
    quickstart = subprocess.Popen([ROOT / "scripts/quickstart"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                                  env={**os.environ, "TAILGATE_STATE_DIR": str(state), "TAILGATE_LISTEN": "127.0.0.1:0"})
    try:
        said = ""
        for line in quickstart.stderr:
            said += line
            if "Ctrl-C ends it" in line:
                break
        link = LINK.search(said)
        assert link, said
        url, token = link.groups()
        with urllib.request.urlopen(f"{url}/", timeout=30) as page:
            assert page.status == 200 and b"Tailgate" in page.read()
        with urllib.request.urlopen(f"{url}/api/v1/claim/{token}", timeout=30) as answer:
            claimed = json.load(answer)
        asked = urllib.request.Request(f"{url}/api/v1/session", headers={"X-API-Key": claimed["api_key"]})
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert json.load(answer)["role"] == "admin"
        return claimed["user_email"]
    finally:
        quickstart.send_signal(signal.SIGINT)
        quickstart.communicate(timeout=60)


def test_quickstart_link__a_key_each_time():
    # Not below pytest's own folder, which each pytest beside this one closes to others: commands run as nobody.
    with tempfile.TemporaryDirectory(prefix="tg-", dir="/tmp") as state:
        pathlib.Path(state).chmod(0o711)
        first, second = link_of_quickstart(state), link_of_quickstart(state)
    assert first == "you@localhost" and re.fullmatch(r"you-\d+@localhost", second)


def test_docker_compose__is_valid():
    if not shutil.which("docker-compose"):
        pytest.skip("docker-compose is not installed")
    done = subprocess.run(["docker-compose", "-f", ROOT / "docker-compose.yml", "config"], capture_output=True, text=True,
                          env={**os.environ, "PYTHONWARNINGS": "ignore"})
    assert done.returncode == 0, done.stderr
    assert "postgres:15" in done.stdout and "gateway" in done.stdout
