"""The seed's scenarios for images (its Guide 2), each under its own name, against the real daemon."""
import concurrent.futures
import json

from tailgate import wait_for

BASE = "/api/v1/images"


def register(daemon, image, **fields):
    answer = daemon.request("POST", f"{BASE}/register", {"image": image, **fields})
    assert answer.status == 201, answer
    return answer.json


def remove(daemon, image_id):
    return daemon.request("DELETE", f"{BASE}/{image_id}")


def registered(daemon):
    return [i for i in daemon.get("/images").json["images"] if i["image_id"] != "host"]


# ---- list ----

def test_list__all_images_for_user(daemon):
    for image in registered(daemon):
        assert remove(daemon, image["image_id"]).status == 200
    register(daemon, "my-app:v1.0")
    register(daemon, "my-app:v1.1")
    assert [(i["image_name"], i["image_tag"]) for i in registered(daemon)] == [("my-app", "v1.0"), ("my-app", "v1.1")]


def test_list__empty_image_list(own_daemon):
    answer = own_daemon().get("/images")
    assert answer.status == 200
    assert [i["image_id"] for i in answer.json["images"]] == ["host"]  # the engine's own is always there
    assert answer.json["images"][0]["is_default"] is True


def test_list__unauthorized_access(daemon):
    assert daemon.get("/images", key=None).status == 401
    assert daemon.get("/images", key="wrong").status == 401


def test_list__service_error(own_daemon):
    one = own_daemon()
    one.sql("ALTER TABLE images RENAME TO gone")
    answer = one.get("/images")
    assert (answer.status, answer.json["code"]) == (503, "DATABASE_ERROR")
    one.sql("ALTER TABLE gone RENAME TO images")
    assert one.get("/images").status == 200


# ---- show ----

def test_get__successful_image_config_retrieval(daemon):
    made = register(daemon, "ghcr.io/team/config:2", cpu=512, memory=2048, runtime_platform="Linux/ARM64",
                    task_role_name="role", task_execution_role_name="execution-role")
    for name in (made["image_id"], "ghcr.io/team/config:2", "ghcr.io%2Fteam%2Fconfig%3A2", "team/config:2"):
        answer = daemon.get(f"/images/{name}")
        assert answer.status == 200, (name, answer)
        image = answer.json
        assert image["image_id"] == made["image_id"]
        assert (image["cpu"], image["memory"], image["runtime_platform"]) == (512, 2048, "Linux/ARM64")
        assert (image["task_role_name"], image["task_execution_role_name"]) == ("role", "execution-role")
        assert (image["image_registry"], image["image_name"], image["image_tag"]) == ("ghcr.io", "team/config", "2")
        assert image["created_by"] == "admin@localhost" and image["owned_by"] == ["admin@localhost"]
        assert image["created_at"] and image["created_by_request_id"]


def test_get__image_not_found(daemon):
    answer = daemon.get("/images/nobody/registered:this")
    assert (answer.status, answer.json["code"]) == (404, "NOT_FOUND")


def test_get__invalid_image_reference_format(daemon):
    answer = daemon.get("/images/Not%20A%20Reference")
    assert (answer.status, answer.json["code"]) == (400, "INVALID_REQUEST")
    assert "image" in answer.json["details"]


def test_get__unauthorized_access(daemon):
    assert daemon.get("/images/host", key=None).status == 401


# ---- delete ----

def test_delete__successful_image_deletion(daemon):
    made = register(daemon, "delete-me:1")
    answer = remove(daemon, made["image_id"])
    assert answer.status == 200
    assert answer.json["image"] == "delete-me:1" and answer.json["message"]
    assert daemon.get(f"/images/{made['image_id']}").status == 404


def test_delete__image_not_found(daemon):
    answer = remove(daemon, "nothing:1-0123abcd")
    assert (answer.status, answer.json["code"]) == (404, "NOT_FOUND")


def test_delete__image_in_use_by_running_execution(daemon):
    made = register(daemon, "in-use:1")
    run = daemon.run("sleep 600")["execution_id"]
    daemon.wait_status(run, ("RUNNING",))
    # Engine `process` runs `host` only: the row says what a container engine would have written.
    daemon.sql(f"UPDATE executions SET image_id = '{made['image_id']}' WHERE execution_id = '{run}'")
    answer = remove(daemon, made["image_id"])
    assert (answer.status, answer.json["code"]) == (409, "CONFLICT"), answer
    assert daemon.request("DELETE", f"/api/v1/executions/{run}").status == 200
    daemon.wait_status(run)
    assert remove(daemon, made["image_id"]).status == 200


def test_delete__unauthorized_deletion(daemon):
    made = register(daemon, "guarded:1")
    assert daemon.request("DELETE", f"{BASE}/{made['image_id']}", key=None).status == 401
    assert daemon.get(f"/images/{made['image_id']}").status == 200


def test_delete__service_error(own_daemon):
    one = own_daemon()
    made = register(one, "service-error:1")
    one.sql("ALTER TABLE audit RENAME TO gone")  # the change and its audit entry commit together
    answer = remove(one, made["image_id"])
    assert (answer.status, answer.json["code"]) == (503, "DATABASE_ERROR")
    one.sql("ALTER TABLE gone RENAME TO audit")
    assert one.get(f"/images/{made['image_id']}").status == 200
    wait_for(lambda: remove(one, made["image_id"]).status == 200, "the removal once the database is whole")


def test_delete__concurrent_deletion_attempts(daemon):
    for round in range(5):
        made = register(daemon, f"raced:{round}")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: remove(daemon, made["image_id"]), range(8)))
        assert sorted(a.status for a in answers) == [200] + [404] * 7, json.dumps([a.status for a in answers])
