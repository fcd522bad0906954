"""Images beyond the seed's scenarios: references, the default, who may, and what a run does with one."""
import concurrent.futures

import pytest
from tailgate import Daemon

BASE = "/api/v1/images"


def register(daemon, image, **fields):
    return daemon.request("POST", f"{BASE}/register", {"image": image, **fields})


def listed(daemon):
    return daemon.get("/images").json["images"]


def make_user(daemon, role):
    answer = daemon.request("POST", "/api/v1/users/create", {"email": f"{role}-{make_user.n}@x.org", "role": role})
    make_user.n += 1
    assert answer.status == 201, answer
    return daemon.get(f"/claim/{answer.json['claim_token']}", key=None).json["api_key"]


make_user.n = 0

REFERENCES = [
    ("alpine", "docker.io", "alpine", "latest"),
    ("alpine:3.19", "docker.io", "alpine", "3.19"),
    ("team/app", "docker.io", "team/app", "latest"),
    ("ghcr.io/team/app:v1.2", "ghcr.io", "team/app", "v1.2"),
    ("localhost:5000/app", "localhost:5000", "app", "latest"),
    ("registry.example.org:443/a/b/c:x_y-z.1", "registry.example.org:443", "a/b/c", "x_y-z.1"),
]


@pytest.mark.parametrize("reference,registry,name,tag", REFERENCES)
def test_register__reference_taken_apart(daemon, reference, registry, name, tag):
    answer = register(daemon, reference)
    assert answer.status == 201 and answer.json["image"] == reference, answer
    image = daemon.get(f"/images/{answer.json['image_id']}").json
    assert (image["image_registry"], image["image_name"], image["image_tag"]) == (registry, name, tag)
    assert image["image_id"].startswith(f"{name}:{tag}-") and len(image["image_id"].rsplit("-", 1)[1]) == 8


def test_register__digest__kept(daemon):
    digest = "sha256:" + "0123456789abcdef" * 4
    answer = register(daemon, f"pinned@{digest}")
    assert answer.status == 201, answer
    image = daemon.get(f"/images/pinned@{digest}").json
    assert image["image_digest"] == digest and "image_tag" not in image


BAD = [
    ({}, "image"), ({"image": ""}, "image"), ({"image": "Upper"}, "image"), ({"image": "a b"}, "image"),
    ({"image": "a:"}, "image"), ({"image": "a" * 600}, "image"), ({"image": 7}, "image"),
    ({"image": "a", "cpu": -1}, "cpu"), ({"image": "a", "cpu": 1.5}, "cpu"),
    ({"image": "a", "memory": 1 << 40}, "memory"), ({"image": "a", "runtime_platform": "x"}, "runtime_platform"),
    ({"image": "a", "task_role_name": "a b"}, "task_role_name"), ({"image": "a", "is_default": 1}, "is_default"),
]


@pytest.mark.parametrize("field", ["cpu", "memory"])
@pytest.mark.parametrize("value", [-1, 1 << 40])
def test_register__amount_out_of_bounds__400_says_the_bounds(daemon, field, value):
    answer = register(daemon, "a", **{field: value})
    assert answer.status == 400
    assert answer.json["details"].startswith(f"{field} must be between 0 and ") and "9223372036854775807" not in answer.json["details"]


@pytest.mark.parametrize("body,field", BAD)
def test_register__bad_field__400_names_it(daemon, body, field):
    answer = daemon.request("POST", f"{BASE}/register", body)
    assert (answer.status, answer.json["code"]) == (400, "INVALID_REQUEST")
    assert field in answer.json["details"], answer


def test_register__same_again__same_registration(daemon):
    first, second = register(daemon, "again:1", cpu=1), register(daemon, "again:1", cpu=1)
    assert first.status == second.status == 201
    assert first.json["image_id"] == second.json["image_id"]
    other = register(daemon, "again:1", cpu=2)
    assert other.json["image_id"] != first.json["image_id"]
    assert len([i for i in listed(daemon) if i["image"] == "again:1"]) == 2


def test_default__first_then_flagged_then_none(own_daemon):
    one = own_daemon()

    def defaults():
        return [i["image"] for i in listed(one) if i.get("is_default")]

    assert defaults() == ["host"]
    ids = {name: register(one, name).json["image_id"] for name in ("a", "b")}
    assert defaults() == ["a"]
    assert register(one, "c", is_default=True).status == 201
    assert defaults() == ["c"]
    assert register(one, "b", is_default=True).status == 201  # the same image, made the default
    assert defaults() == ["b"]
    assert one.request("DELETE", f"{BASE}/{ids['b']}").status == 200
    assert [i["image"] for i in listed(one) if i.get("is_default") and i["image"] != "host"] == []
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: register(one, f"at-once:{n}", is_default=True), range(8)))
    assert {a.status for a in answers} == {201}
    assert len(defaults()) == 1


def test_host__always_there(daemon):
    assert listed(daemon)[0]["image_id"] == "host"
    assert daemon.get("/images/host").json["image"] == "host"
    answer = daemon.request("DELETE", f"{BASE}/host")
    assert (answer.status, answer.json["code"]) == (409, "CONFLICT")
    assert register(daemon, "host").status == 409
    assert daemon.finish("true", image="host")["image_id"] == "host"
    assert daemon.finish("true")["image_id"] == "host"


def test_run__unknown_or_not_runnable__told(daemon):
    answer = daemon.request("POST", "/api/v1/run", {"command": "true", "image": "never-registered"})
    assert (answer.status, answer.json["code"]) == (404, "NOT_FOUND")
    assert answer.json["error"] == "failed to resolve image"
    register(daemon, "containers-only:1")
    answer = daemon.request("POST", "/api/v1/run", {"command": "true", "image": "containers-only:1"})
    assert (answer.status, answer.json["code"]) == (400, "INVALID_REQUEST"), answer
    assert "host" in answer.json["details"]


def test_delete__by_name__400_asks_for_the_id(daemon):
    made = register(daemon, "ghcr.io/by/name:1").json["image_id"]
    for name in ("ghcr.io/by/name:1", "by/name:1", "by/name"):
        answer = daemon.request("DELETE", f"{BASE}/{name}")
        assert (answer.status, answer.json["code"]) == (400, "INVALID_REQUEST"), (name, answer)
        assert "image id" in answer.json["details"]
    assert daemon.request("DELETE", f"{BASE}/{made.replace('/', '%2F')}").status == 200


ROLES = [("admin", 200, 201, 200), ("operator", 200, 201, 200), ("developer", 200, 403, 403), ("viewer", 200, 403, 403)]


@pytest.mark.parametrize("role,reads,registers,removes", ROLES)
def test_roles__as_the_table_says(daemon, role, reads, registers, removes):
    key = make_user(daemon, role)
    made = register(daemon, f"of-admin-{role}:1").json["image_id"]
    assert daemon.get("/images", key=key).status == reads
    assert daemon.get(f"/images/{made}", key=key).status == reads
    assert daemon.request("POST", f"{BASE}/register", {"image": f"by-{role}:1"}, key=key).status == registers
    assert daemon.request("DELETE", f"{BASE}/{made}", key=key).status == removes


def test_owner__removes_own_whatever_the_role_became(own_daemon):
    one: Daemon = own_daemon()
    key = make_user(one, "operator")
    made = one.request("POST", f"{BASE}/register", {"image": "mine:1"}, key=key).json["image_id"]
    one.sql("UPDATE users SET role = 'developer' WHERE role = 'operator'")
    assert one.request("DELETE", f"{BASE}/{made}", key=key).status == 200
