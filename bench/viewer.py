"""What the viewer costs its reader's browser: Debian's Chromium, driven by tests/web/figures.test.mjs."""
import json
import os
import pathlib
import subprocess
import tempfile

from measure import ROOT, Row


def viewer(repeat, quick):
    with tempfile.TemporaryDirectory() as results:
        environment = {**os.environ, "TAILGATE_WEB_RESULTS": results, "TAILGATE_WEB_ATTEMPTS": str(repeat)}
        if quick:
            environment["TAILGATE_WEB_LINES"] = "100000"
        done = subprocess.run([ROOT / "tests/web/run", ROOT / "tests/web/figures.test.mjs"], env=environment,
                              capture_output=True, text=True)
        path = pathlib.Path(results) / "figures.json"
        if not path.exists():
            raise RuntimeError(f"tests/web/run measured nothing: {done.stdout[-500:]}{done.stderr[-500:]}")
        return [Row(f["name"], f["values"], f["unit"], f.get("bar")) for f in json.loads(path.read_text())]
