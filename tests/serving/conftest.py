import pytest


@pytest.fixture(params=("grpc", "rest"))
def server(request):
    """A stand-in of TensorFlow Serving, running."""
    from server_stubs import SERVERS  # Not at the top: needs the extra `serving`.

    with SERVERS[request.param]() as running:
        yield running
