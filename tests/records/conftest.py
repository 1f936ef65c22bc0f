from report_fixtures import audited, checkout, finished, plan, results, workplace  # noqa: F401 (fixtures)
