"""Users of a daemon under test, each with a key that was claimed."""
import itertools
import types

_number = itertools.count(1)


def make_user(daemon, role, email=None):
    """A new user of the role, with the key from the claim: .email, .key, .token (used)."""
    email = email or f"{role}{next(_number)}@example.org"
    answer = daemon.request("POST", "/api/v1/users/create", {"email": email, "role": role})
    assert answer.status == 201, answer
    token = answer.json["claim_token"]
    claimed = daemon.get(f"/claim/{token}", key=None)
    assert claimed.status == 200, claimed
    assert claimed.json["user_email"] == email
    return types.SimpleNamespace(email=email, role=role, token=token, key=claimed.json["api_key"])


def revoke_user(daemon, user):
    answer = daemon.request("POST", "/api/v1/users/revoke", {"email": user.email})
    assert answer.status == 200, answer


def own_keys(daemon, user):
    answer = daemon.get("/api-keys", key=user.key)
    assert answer.status == 200, answer
    return answer.json["api_keys"]
