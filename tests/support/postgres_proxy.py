"""TCP between a server and its PostgreSQL, for faults that only the network has: an answer that never comes back,
a statement that arrives long after its sender has given up."""
import socket
import threading

SYNC = b"S\0\0\0\4"  # protocol 3.0: the end of what is one transaction here
READY = b"Z\0\0\0\5"


class Connection:
    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.name = None  # application_name
        self.is_lost = False  # answers are not passed on any more
        self.answered = threading.Event()  # since it is lost, with a ReadyForQuery
        for task in (self.forward, self.answer):
            threading.Thread(target=self.guard, args=(task,), daemon=True).start()

    def guard(self, task):
        try:
            task()
        except OSError:
            pass
        self.end(self.client, self.server)

    def forward(self):
        while data := self.client.recv(1 << 16):
            if self.name is None and b"application_name\0" in data:
                self.name = data.split(b"application_name\0")[1].split(b"\0")[0].decode()
            if not data.endswith(SYNC) or not self.proxy.judge:
                self.server.sendall(data)
            elif self.proxy.judge(self, data) == "end":
                return

    def answer(self):
        while data := self.server.recv(1 << 16):
            if not self.is_lost:
                self.client.sendall(data)
            elif READY in data:
                self.answered.set()
        self.answered.set()

    # ---- what a judge may do; all return "end" ----
    def lose_answer(self, wait=10):
        """The server does all that it was asked to; nobody is told."""
        self.end(self.client)
        self.answered.wait(wait)
        return "end"

    @staticmethod
    def end(*sockets):
        for one in sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class PostgresProxy:
    """judge(connection, data) is asked about all data that ends with a Sync, and passes it on itself
    (connection.server.sendall) unless it is to be kept; None: everything is passed on. While `is_refusing`
    new connections are closed."""

    def __init__(self, port, judge=None):
        self.target, self.judge, self.is_refusing = port, judge, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.is_refusing:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            Connection(self, client, server)

    def conninfo(self):
        return f"host=127.0.0.1 port={self.port} user=postgres dbname=postgres sslmode=disable"

    def close(self):
        self.listener.close()
