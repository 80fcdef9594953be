"""A fleet file from the disk."""

from pathlib import Path


def read_source(path: Path) -> str:
    """The file's text. Raises ValueError, in one line, when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors begin a file with a byte order mark
    except OSError as error:
        raise ValueError(f"cannot read the fleet file {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8 (byte {error.start})") from None
