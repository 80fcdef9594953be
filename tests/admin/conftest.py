"""Who looks at the console."""

import pytest
from django.contrib.auth.models import User

from tests.wired import wired_exchange  # noqa: F401  (a fixture)


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator", password="a long one"))
    return client
