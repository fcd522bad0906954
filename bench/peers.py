"""What installed servers of others take for the same lines to 50 readers. They store nothing."""
import http.client
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import measure
from measure import Load, Row, free_port, wait_for_port

READERS = 50
NGINX_CONF = """
daemon off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log crit;
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
events {{ worker_connections 4096; }}
http {{
  access_log off; client_body_temp_path {dir}; proxy_temp_path {dir}; fastcgi_temp_path {dir};
  uwsgi_temp_path {dir}; scgi_temp_path {dir}; keepalive_requests 100000000;
  nchan_max_reserved_memory 256M;
  server {{
    listen 127.0.0.1:{port};
    location = /pub {{ nchan_publisher; nchan_channel_id lines; nchan_message_buffer_length 10000; }}
    location = /sub {{ nchan_subscriber websocket; nchan_channel_id lines; nchan_subscriber_first_message newest; }}
  }}
}}
"""


def batches(lines, batch):
    """Bodies of `batch` lines, newline-separated, numbered from 1."""
    filler = "step compile module linking cache object target resolved " * 3
    for first in range(1, lines + 1, batch):
        stamp = time.monotonic_ns() // 1000
        yield "\n".join(f"{n:010d} {stamp:016d} {filler}"[:measure.LINE_BYTES - 1]
                        for n in range(first, first + batch)).encode()


def paced(bodies, rate, batch):
    begin = time.monotonic()
    for i, body in enumerate(bodies):
        delay = begin + i * batch / rate - time.monotonic()
        if delay > 0.001:
            time.sleep(delay)
        yield body


def publish_nats(port, bodies):
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(b'CONNECT {"verbose":false}\r\n')
        for body in bodies:
            s.sendall(b"PUB lines %d\r\n%s\r\n" % (len(body), body))
        s.sendall(b"PING\r\n")
        while b"PONG" not in s.recv(65536):
            pass


def publish_nchan(port, bodies):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for body in bodies:
        connection.request("POST", "/pub", body)
        connection.getresponse().read()


def measured(pids, port, protocol, path, publish, rate, batch, seconds):
    lines = rate * seconds // batch * batch
    load = Load(port=port, protocol=protocol, path=path, readers=READERS, lines=lines, timeout=60)
    try:
        load.ready()
        before = measure.cpu_of(pids())
        publish(port, paced(list(batches(lines, batch)), rate, batch))
        result = load.result()
        return (measure.cpu_of(pids()) - before) * 1e9 / result["lines"]
    finally:
        load.process.kill()
        load.process.wait()


def with_server(command, port, act):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
        return act(lambda: [process.pid, *map(int, children.read_text().split())])
    finally:
        process.terminate()
        process.wait()


def nats(rate, batch, seconds):
    port = free_port()
    return with_server(["nats-server", "-a", "127.0.0.1", "-p", str(port)], port, lambda pids: measured(
        pids, port, "nats", "/", publish_nats, rate, batch, seconds))


def nchan(rate, batch, seconds):
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="tg-nchan-") as directory:
        pathlib.Path(directory).chmod(0o777)
        conf = pathlib.Path(directory) / "conf"
        conf.write_text(NGINX_CONF.format(dir=directory, port=port))
        return with_server(["nginx", "-p", directory, "-c", str(conf)], port, lambda pids: measured(
            pids, port, "text", "/sub", publish_nchan, rate, batch, seconds))


def peers(repeat, quick):
    rows = []
    seconds = 1 if quick else 4
    for program, serve, rate in (("nats-server", nats, 10_000), ("nginx", nchan, 1_000)):
        if not shutil.which(program):
            continue
        for batch, faster in ((1, 1), (100, 10)):
            values = [serve(rate * faster, batch, seconds) for _ in range(repeat)]
            rows.append(Row(f"{serve.__name__}, {READERS} readers, {batch} line{'s' * (batch > 1)} a message, "
                            f"{rate * faster} lines/s", values, "ns/line"))
    return rows
