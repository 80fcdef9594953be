"""The keys that secrets are encrypted with: outside the database, so that its copies are worth nothing without them.

Newest first: the first encrypts, all decrypt. They are FIELD_KEYS of the environment, or else the file VAR/field_keys,
made when the first secret is stored. They are read at every use: a new one counts in running processes at once.
"""

import fcntl
import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class UnreadableSecret(ValueError):
    """A secret cannot be encrypted or decrypted with the keys that there are. The text says what to do."""


def encrypt(text: str) -> str:
    """The text as a token. Makes the first key where there is none. Raises UnreadableSecret."""
    return _cipher(_keys() or _first_key()).encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """The text in a token. Raises UnreadableSecret when no key fits."""
    return _with_keys(lambda cipher: cipher.decrypt(token.encode())).decode()


def reencrypt(token: str) -> str:
    """The same text under the first key. Raises UnreadableSecret."""
    return _with_keys(lambda cipher: cipher.rotate(token.encode())).decode()


def from_environment() -> bool:
    """Whether the keys are kept by whoever set FIELD_KEYS, and not in a file of ours."""
    return bool(settings.FIELD_KEYS)


def add_key() -> None:
    """Make a new first key in the file. The older ones stay: what was encrypted with them, and backups, need them."""
    path = settings.FIELD_KEYS_FILE
    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two at once would lose one's key, and all that it encrypts
        _written(path, [Fernet.generate_key().decode(), *_keys()]).replace(path)


def _keys() -> list[str]:
    if settings.FIELD_KEYS:
        return [key.strip() for key in settings.FIELD_KEYS.split(",") if key.strip()]
    try:
        return settings.FIELD_KEYS_FILE.read_text().split()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise UnreadableSecret(f"{settings.FIELD_KEYS_FILE} cannot be read: {error.strerror}") from None


def _first_key() -> list[str]:
    path = settings.FIELD_KEYS_FILE
    scratch = _written(path, [Fernet.generate_key().decode()])
    with suppress(FileExistsError):  # another process was faster: its key is the first
        os.link(scratch, path)
    scratch.unlink()
    return _keys()


def _written(path: Path, keys: Sequence[str]) -> Path:
    """A file beside ``path`` with these keys, on disk, that its owner alone can read."""
    scratch = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write("".join(f"{key}\n" for key in keys))
        file.flush()
        os.fsync(file.fileno())
    return scratch


def _with_keys(work: Callable[[MultiFernet], bytes]) -> bytes:
    try:
        return work(_cipher(_keys()))
    except InvalidToken:
        raise UnreadableSecret(f"no key in {_place()} fits what is stored: restore the one it was made with") from None


def _cipher(keys: Sequence[str]) -> MultiFernet:
    if not keys:
        raise UnreadableSecret(f"there is no key in {_place()}: restore the one that the secrets were stored with")
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise UnreadableSecret(f"{_place()} holds something that is no key: 32 bytes in URL-safe base64 are") from None


def _place() -> str:
    return "FIELD_KEYS" if settings.FIELD_KEYS else str(settings.FIELD_KEYS_FILE)
