"""What came of trading: profit, costs, statistics and tax lots. Pure files calculate; the ``*_rows`` files read."""
