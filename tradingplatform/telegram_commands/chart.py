"""The equity curve as a picture. PURE: points in, PNG out."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from tradingplatform.telegram_commands.tables import money

WIDTH, HEIGHT = 1000, 560
LEFT, RIGHT, TOP, BOTTOM = 30, 190, 70, 60
PAPER, INK, GRID, UP, DOWN = "#ffffff", "#1f2933", "#e4e7eb", "#0b8457", "#c62f2f"
LINES = 5

Points = Sequence[tuple[datetime, Decimal]]


def equity_chart(points: Points, title: str, quote: str) -> bytes:
    """A PNG. Raises ValueError for fewer than two points."""
    if len(points) < 2:
        raise ValueError("there are not enough points for a picture yet: try again in a few minutes")
    picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(picture)
    low, high = _bounds([equity for _, equity in points])
    _grid(draw, low, high, quote)
    curve = _curve(points, low, high)
    colour = UP if points[-1][1] >= points[0][1] else DOWN
    draw.line(curve, fill=colour, width=4, joint="curve")
    draw.text((LEFT, 18), title, fill=INK, font=ImageFont.load_default(28))
    small = ImageFont.load_default(20)
    draw.text((LEFT, HEIGHT - 40), f"{points[0][0]:%Y-%m-%d %H:%M}", fill=INK, font=small)
    last = f"{points[-1][0]:%Y-%m-%d %H:%M} UTC"
    draw.text((WIDTH - RIGHT, HEIGHT - 40), last, fill=INK, font=small, anchor="ra")
    stored = BytesIO()
    picture.save(stored, "PNG", optimize=True)
    return stored.getvalue()


def _bounds(values: Sequence[Decimal]) -> tuple[float, float]:
    """With a little air above and below; a flat line lies in the middle."""
    low, high = float(min(values)), float(max(values))
    air = (high - low) * 0.05 or abs(high) * 0.01 or 1.0
    return low - air, high + air


def _grid(draw: ImageDraw.ImageDraw, low: float, high: float, quote: str) -> None:
    font = ImageFont.load_default(20)
    for line in range(LINES):
        value = low + (high - low) * line / (LINES - 1)
        y = _height(value, low, high)
        draw.line([(LEFT, y), (WIDTH - RIGHT, y)], fill=GRID, width=2)
        label = money(Decimal(str(round(value, 8))), quote)
        draw.text((WIDTH - RIGHT + 10, y), label, fill=INK, font=font, anchor="lm")


def _curve(points: Points, low: float, high: float) -> list[tuple[float, float]]:
    begin, end = points[0][0].timestamp(), points[-1][0].timestamp()
    span = (end - begin) or 1.0
    room = WIDTH - LEFT - RIGHT
    return [(LEFT + room * (at.timestamp() - begin) / span, _height(float(equity), low, high)) for at, equity in points]


def _height(value: float, low: float, high: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low)
