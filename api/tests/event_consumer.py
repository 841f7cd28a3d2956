"""What a tenant's program does with its credentials, by the stock client: reads, asks, trespasses."""

import asyncio
import json
import sys

import nats
from nats.errors import Error

STREAMS = ["EVENTS", "ANALYTICS"]

PUBLISH = [
    "events.acme.message.sent", "events.globex.message.sent", "analytics.acme.dashboard",
    "analytics.globex.dashboard", "carrier.twilio.main.status", "carrier.twilio.main.inbound",
    "msg.submitted.urgent", "msg.enriched.bulk", "msg.admitted.bulk.1", "msg.released.bulk.1",
    "inbound.acme", "dead.gate.acme", "$KV.ACCOUNTS.main", "$KV.CLOCK.business", "any.thing",
    "$SYS.REQ.SERVER.PING", "$SYS.REQ.CLAIMS.UPDATE", "_INBOX.{own}.x", "_INBOX.{other}.x",
    "_INBOX_api.x", "_INBOX.x", "$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.CREATE.MINE", "$JS.API.STREAM.INFO.EVENTS", "$JS.API.STREAM.UPDATE.EVENTS",
    "$JS.API.STREAM.DELETE.EVENTS", "$JS.API.STREAM.PURGE.EVENTS", "$JS.API.STREAM.MSG.GET.EVENTS",
    "$JS.API.STREAM.MSG.DELETE.EVENTS", "$JS.API.STREAM.SNAPSHOT.EVENTS",
    "$JS.API.DIRECT.GET.ANALYTICS", "$JS.API.DIRECT.GET.ANALYTICS.analytics.globex.dashboard",
    "$JS.API.CONSUMER.CREATE.EVENTS", "$JS.API.CONSUMER.CREATE.EVENTS.mine",
    "$JS.API.CONSUMER.CREATE.EVENTS.mine.events.globex.message.sent",
    "$JS.API.CONSUMER.DURABLE.CREATE.EVENTS.mine", "$JS.API.CONSUMER.NAMES.EVENTS",
    "$JS.API.CONSUMER.LIST.EVENTS", "$JS.API.CONSUMER.INFO.EVENTS.{own}",
    "$JS.API.CONSUMER.DELETE.EVENTS.{own}", "$JS.API.CONSUMER.PAUSE.EVENTS.{own}",
    "$JS.API.CONSUMER.MSG.NEXT.EVENTS.{other}", "$JS.API.CONSUMER.MSG.NEXT.ANALYTICS.{other}",
    "$JS.API.CONSUMER.MSG.NEXT.EVENTS.rollup", "$JS.API.CONSUMER.MSG.NEXT.DEAD.reconcile-dead",
    "$JS.ACK.EVENTS.{other}.1.1.1.1.1", "$JS.ACK.EVENTS.rollup.1.1.1.1.1",
]
SUBSCRIBE = [
    ">", "*", "events.>", "events.acme.>", "events.globex.message.sent", "analytics.>", "carrier.>",
    "_INBOX.>", "_INBOX.*", "_INBOX.{other}.>", "_INBOX_api.>", "$JS.>", "$JS.API.>", "$JS.EVENT.>",
    "$SYS.>", "$KV.>", "$JS.ACK.>",
]


async def connect(url, credentials, own, errors):
    async def note(error):
        errors.append(str(error).lower())

    return await nats.connect(url, user_credentials=credentials, inbox_prefix=f"_INBOX.{own}", error_cb=note)


async def refused(client, errors, subject, act):
    """Whether the broker says that it refuses this."""
    errors.clear()
    await act(subject)
    await client.flush()
    for _ in range(100):
        if any("permissions violation" in error and f'"{subject.lower()}"' in error for error in errors):
            return True
        await asyncio.sleep(0.02)
    return False


async def trespass(client, errors, own, other):
    not_refused = []
    for subject in (subject.format(own=own, other=other) for subject in PUBLISH):
        if not await refused(client, errors, subject, lambda it: client.publish(it, b"[]")):
            not_refused.append(f"publish {subject}")
    for subject in (subject.format(own=own, other=other) for subject in SUBSCRIBE):
        if not await refused(client, errors, subject, client.subscribe):
            not_refused.append(f"subscribe {subject}")

    # The broker answers where it is told to: no further than this account.
    for reply in ["events.globex.message.sent", "analytics.globex.dashboard", "msg.submitted.urgent",
                  "$JS.API.STREAM.DELETE.EVENTS", "$JS.API.STREAM.PURGE.EVENTS"]:
        for stream in STREAMS:
            for ask in [{"batch": 10, "no_wait": True}, {"batch": 1, "expires": 1}]:
                subject = f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{own}"
                await client.publish(subject, json.dumps(ask).encode(), reply=reply)
    await client.flush()
    await asyncio.sleep(0.5)
    tried = len(PUBLISH) + len(SUBSCRIBE)
    return {"not_refused": not_refused, "tried": tried, "connected": client.is_connected}


async def read(client, own):
    """Reads until nothing comes for two seconds, acknowledges, and says what it was."""
    found = {}
    for stream in STREAMS:
        found[stream] = []
        subscription = await client.jetstream().pull_subscribe_bind(own, stream)
        try:
            while True:
                for message in await subscription.fetch(10, timeout=2):
                    said = json.loads(message.data)
                    ids = [event["id"] for event in said] if isinstance(said, list) else [None]
                    found[stream].extend([message.subject, id] for id in ids)
                    await message.ack_sync()
        except asyncio.TimeoutError:
            pass
    return found


async def ask(client, own):
    """Asks for an entry, and says whether one comes."""
    found = {}
    for stream in STREAMS:
        subscription = await client.jetstream().pull_subscribe_bind(own, stream)
        try:
            await subscription.fetch(1, timeout=2)
            found[stream] = "something"
        except Error:
            found[stream] = "nothing"
    return found


async def main(act, url, credentials, own, other=None):
    errors = []
    client = await connect(url, credentials, own, errors)
    acts = {
        "trespass": lambda: trespass(client, errors, own, other),
        "read": lambda: read(client, own),
        "ask": lambda: ask(client, own),
    }
    print(json.dumps(await acts[act]()))
    await client.close()


asyncio.run(main(*sys.argv[1:]))
