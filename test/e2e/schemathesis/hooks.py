"""Keeps comparisons and sleeps short: how long they take is not what is tested."""

import schemathesis

TWO = {
    "s3": ["sdk-single", "presigned-async"],
    "bedrock": ["sdk-single", "presigned-async"],
    "sts": ["sdk-single", "presigned-async"],
}


@schemathesis.hook
def before_call(context, case, kwargs):
    query = case.query if isinstance(case.query, dict) else {}
    # Only what is absent or valid is made shorter: what is wrong stays wrong.
    if case.path == "/bench/sleep" and ("ms" not in query or as_integer(query["ms"]) > 10):
        query["ms"] = 10
        case.query = query
    if not case.path.startswith("/compare/"):
        return
    if as_integer(query.get("budgetMs")) > 100:
        query["budgetMs"] = 100
    if "budgetMs" not in query and query.get("rounds") in (None, "auto"):
        query["rounds"] = 1
    if as_integer(query.get("rounds")) > 1:
        query["rounds"] = 1
    if "warmup" not in query or as_integer(query["warmup"]) > 0:
        query["warmup"] = 0
    if "strategies" not in query and "baseline" not in query:
        query["strategies"] = TWO.get(case.path.removeprefix("/compare/"), ["single", "async"])
    case.query = query


def as_integer(value):
    """The value where it is a valid one of these parameters, else 0."""
    return int(value) if str(value).isdecimal() and int(value) <= 600_000 else 0
