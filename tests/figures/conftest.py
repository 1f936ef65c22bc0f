from report_fixtures import audited, checkout, finished, plan, results, workplace  # noqa: F401 (fixtures)
from sweep_records import opened  # noqa: F401 (a fixture)
