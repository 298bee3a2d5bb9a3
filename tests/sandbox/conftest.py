"""A jail for the tests that need one; without user namespaces they are skipped, with the reason."""

import pytest

import sandbox


@pytest.fixture(scope="session")
def jail():
    try:
        sandbox.check()
    except sandbox.SandboxUnavailable as reason:
        pytest.skip(str(reason))
