"""A stock subscriber: keeps the highest version of each of a tenant's totals and prints it as a JSON line."""

import asyncio
import json
import sys

import nats


async def main(url, tenant, credentials):
    connection = await nats.connect(url, user_credentials=credentials)
    totals = {}

    async def take(message):
        value = json.loads(message.data)
        if value["version"] > totals.get(message.subject, {"version": 0})["version"]:
            totals[message.subject] = value
            print(json.dumps({"subject": message.subject, **value}), flush=True)

    await connection.subscribe(f"analytics.{tenant}.>", cb=take)
    await connection.flush()
    print(json.dumps({"ready": True}), flush=True)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:4]))
