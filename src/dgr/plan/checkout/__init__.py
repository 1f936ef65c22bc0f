"""Who is at work in a checkout, and what processes left that were killed."""

from dgr.plan.system import check_supported

check_supported()  # what is here locks files
