"""NDJSON for schemathesis: how it is written, and its first line for the schema of one."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson")
def write(_context, value):
    lines = value if isinstance(value, list) else [value]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@schemathesis.deserializer("application/x-ndjson")
def read(_context, response):
    lines = response.content.splitlines()
    return json.loads(lines[0]) if lines else None
