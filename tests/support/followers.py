"""Readers that come back until they have seen the end, for tests in which things fail."""
import json
import threading
import time

import websocket
from tailgate import DEADLINE, Reader, wait_for

COUNT = "for i in $(seq {n}); do echo line $i; sleep 0.01; done"

def wanted(n):
    return [f"line {k}" for k in range(1, n + 1)]


class Follower(threading.Thread):
    """A reader that comes back after the last line it saw, until the end; counts its connections."""

    def __init__(self, daemon, execution_id):
        super().__init__(daemon=True)
        self.daemon_, self.id = daemon, execution_id
        self.position, self.connections, self.lines = 0, 0, []
        self.end = self.wrong = None
        self.start()

    def run(self):
        give_up = time.monotonic() + DEADLINE
        while not self.end and not self.wrong and time.monotonic() < give_up:
            try:
                self.follow(Reader(self.daemon_, self.id, after=self.position))
            except (OSError, websocket.WebSocketException):
                time.sleep(0.05)  # the server is down: its coming back is no event for us
            except AssertionError as e:
                self.wrong = e

    def follow(self, reader):
        self.connections += 1
        try:
            while not reader.end:
                opcode, data = reader.ws.recv_data()
                if opcode == websocket.ABNF.OPCODE_CLOSE:
                    return
                message = json.loads(data)
                if message["type"] == "error":
                    return  # the database was away when it was asked: again
                self.take(reader, message)
        finally:
            reader.ws.close()

    def take(self, reader, message):
        if message["type"] == "logs":
            assert message["first"] == self.position + 1, (message["first"], self.position)
            self.position += len(message["lines"])
            self.lines += message["lines"]
        elif message["type"] == "end":
            assert message["last_seq"] == self.position, (message, self.position)
            self.end = reader.end = message

    def finish(self, lines):
        self.join(DEADLINE)
        assert not self.wrong, self.wrong
        assert self.end, f"no end after line {self.position}"
        assert [line[2] for line in self.lines] == lines
        return self


def read_until(one, i, count):
    """Waits until a reader has that many lines, and leaves."""
    reader = Reader(one, i).read_until(count)
    reader.ws.close()
    return reader


def follow_counts(one, runs, n, readers=2):
    ids = [one.run(COUNT.format(n=n))["execution_id"] for _ in range(runs)]
    followers = [Follower(one, i) for i in ids for _ in range(readers)]
    wait_for(lambda: all(f.position or f.wrong for f in followers), "each reader's first line")
    return ids, followers


def check_counts(one, ids, followers, n):
    for follower in followers:
        assert follower.finish(wanted(n)).end["status"] == "SUCCEEDED"
    for i in ids:
        assert one.logs_txt(i).decode().splitlines() == wanted(n)
    wait_for(lambda: not run_dirs(one), "the run directories to be removed")


def run_dirs(one):
    return [path.name for path in (one.state / "runs").iterdir()]


def runner_of(one, i):
    return int((one.state / "runs" / i / "lock").read_text().split()[0])
