"""One daemon for all tests of a file; tests that kill or configure theirs make their own with `own_daemon`."""
import pytest
from tailgate import Daemon


@pytest.fixture(scope="module")
def daemon():
    one = Daemon()
    try:
        yield one.start()
    finally:
        one.close()


@pytest.fixture
def own_daemon():
    """own_daemon(*flags, **options): a started daemon that is closed at the end of the test."""
    made = []

    def make(*flags, start=True, **options):
        one = Daemon(*flags, **options)
        made.append(one)
        return one.start() if start else one

    yield make
    for one in made:
        one.close()
