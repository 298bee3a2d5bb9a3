"""Dates, zones and a clock."""
import datetime
import time
import zoneinfo

when = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.timezone.utc)
print(when.isoformat(), (when + datetime.timedelta(days=1)).strftime("%d %B"), time.gmtime(0).tm_year)
