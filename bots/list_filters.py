"""Filters of the long lists that know bots, and the market's clock."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.admin import SimpleListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from bots.models import Bot
from bots.strategies.registry import STRATEGIES
from market.clock import load_clock
from notifications.admin_base import AutocompleteDropdownForm, UnfoldAutocompleteFilter
from notifications.lists.filters import OneOf, WallDays


def market_now() -> datetime:
    """Market time at this moment, for pages: they are entrances."""
    return load_clock(settings.CLOCK_FILE).now().market_at


class MarketDays(WallDays):
    """A range of whole UTC days of market time."""

    clock = "market time"

    def now(self) -> datetime:
        return market_now()


class BotOfRow(UnfoldAutocompleteFilter):  # type: ignore[misc]  # unfold has no types
    """One bot, found by typing: a fleet is too long for a list."""

    def expected_parameters(self) -> list[str]:
        """Whether there is a bot at all is another filter's business."""
        return [self.lookup_kwarg]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Raises IncorrectLookupParameters for what can be no bot's key: the filter could not even be shown."""
        given = [text for text in self.lookup_val or () if text]
        if any(_key(text) is None for text in given):
            raise IncorrectLookupParameters(f"no bot has the number {given}")
        found: QuerySet[Any] = super().queryset(request, queryset)
        return found

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            choice["form"].fields[self.lookup_kwarg].label = "Bot"
            yield choice


class StrategyOfBot(OneOf):
    """Of the bot as it is now."""

    def options(self) -> Iterable[tuple[str, str]]:
        return [(name, name) for name in STRATEGIES]


class Symbols(OneOf):
    """What the fleet trades. A symbol that it no longer trades is found by the address, or by searching."""

    def options(self) -> Iterable[tuple[str, str]]:
        symbols = Bot.objects.order_by("symbol").values_list("symbol", flat=True).distinct()
        return [(symbol, symbol) for symbol in symbols]


class BotById(SimpleListFilter):
    """One bot, found by typing, of rows that know nothing of bots and have a plain ``bot_id``.

    ``through`` is a model with a foreign key ``bot``, by which the names are looked up.
    """

    title = "Bot"
    parameter_name = "bot_id"
    template = "unfold/filters/filters_field.html"
    form_class = AutocompleteDropdownForm
    through: type[Model]

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: type[Model], model_admin: Any) -> None:
        self.request, self.model_admin = request, model_admin
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("", "")]  # they are looked up while somebody types

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        return queryset.none() if self.key is None else queryset.filter(bot_id=self.key)

    @property
    def key(self) -> int | None:
        """The bot's, if what was given can be one."""
        return _key(self.value() or "")

    def choices(self, changelist: Any) -> Iterator[Any]:
        form = self.form_class(
            request=self.request,
            label="Bot",
            name=self.parameter_name,
            choices=(),
            field=self.through._meta.get_field("bot"),
            model_admin=self.model_admin,
            data={self.parameter_name: self.key},
        )
        yield {"selected": bool(self.value()), "form": form}


def _key(text: str) -> int | None:
    """A row's, if the text can be one."""
    return int(text) if text.isdecimal() and len(text) < 19 else None
