"""What the README tells a newcomer to do."""
import os
import pathlib
import re
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_quickstart_once__prints_the_sample_and_ends():
    done = subprocess.run([ROOT / "scripts/quickstart", "--once"], capture_output=True, text=True, timeout=540)
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.findall(r"^line (\d) of 5", done.stdout, re.M) == list("12345")


def test_docker_compose__is_valid():
    if not shutil.which("docker-compose"):
        pytest.skip("docker-compose is not installed")
    done = subprocess.run(["docker-compose", "-f", ROOT / "docker-compose.yml", "config"], capture_output=True, text=True,
                          env={**os.environ, "PYTHONWARNINGS": "ignore"})
    assert done.returncode == 0, done.stderr
    assert "postgres:15" in done.stdout and "gateway" in done.stdout
