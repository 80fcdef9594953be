"""The operator's password: random, shown once, stored as a hash only."""

import secrets

from django.conf import settings
from django.contrib.auth.models import User

from tradingplatform.typed import make

OPERATOR = "operator"

_ALPHABET = "abcdefghjkmnpqrstuvwxyzACDEFGHJKLMNPQRTUVWXY34679"
"""Without characters that are read as one another."""

_GROUPS, _GROUP = 4, 5


def new_password() -> str:
    """A new password for the operator, who is made when he is missing. Old sessions end with the old password.

    20 characters of 49: 112 bits.
    """
    password = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))
    operator = User.objects.filter(username=OPERATOR).first() or User(username=OPERATOR)
    operator.is_active = operator.is_staff = operator.is_superuser = True
    operator.set_password(password)
    operator.save()
    return password


def password_box(password: str, port: int) -> str:
    """The password where nobody overlooks it."""
    lines = (
        f"Console    http://127.0.0.1:{port}/",
        f"User       {OPERATOR}",
        f"Password   {password}",
        "",
        f"Shown this once only. A new one: {make('password', settings.VAR)}",
    )
    width = max(map(len, lines))
    edge = "+" + "-" * (width + 4) + "+"
    return "\n".join([edge, *(f"|  {line:<{width}}  |" for line in lines), edge])
