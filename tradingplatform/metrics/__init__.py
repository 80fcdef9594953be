"""What Prometheus scrapes: read from the database and Redis at each scrape, so that it does not matter which process
answers, nor how often one of them died.

Each of ``PARTS`` (see scrape.py) is one file and one function: the moment in, families out. Amounts become binary
floating point here, because that is what Prometheus stores: fine for a chart and an alert, never to be read back.
"""
