"""What the AI's opinions were worth."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from tradingplatform.ai.report import judged_since
from tradingplatform.ai.report_table import report_table
from tradingplatform.management.base import OperatorCommand, now


class Command(OperatorCommand):
    help = "How many entries an AI would have vetoed or made smaller, bot by bot, and what those trades earned."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=30, help="of market time, back from now (default 30)")

    def act(self, **options: Any) -> None:
        days = options["days"]
        if not 1 <= days <= 36_500:
            raise ValueError(f"--days {days}: give 1 to 36500")
        judged = judged_since(now().market_at - timedelta(days=days))
        if not judged:
            self.stdout.write(f"no AI was asked about an entry in the last {days} days of market time (docs/ai.md)")
            return
        self.stdout.write(report_table(judged))
