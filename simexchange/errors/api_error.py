"""A request that is refused: a code, its text, and the HTTP status it travels with."""

from __future__ import annotations


class ApiError(Exception):
    """A request refused with Binance's ``{"code": ..., "msg": ...}``; ``retry_after_s`` becomes a header."""

    def __init__(self, code: int, msg: str, status: int = 400, retry_after_s: int | None = None) -> None:
        super().__init__(f"{code} {msg}")
        self.code, self.msg, self.status, self.retry_after_s = code, msg, status, retry_after_s

    def body(self) -> dict[str, object]:
        """What the client reads."""
        return {"code": self.code, "msg": self.msg}
