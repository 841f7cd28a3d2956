"""Sends one text by the client that openapi-python-client makes, and waits until it is delivered."""

import os
import sys
import time

sys.path.insert(0, sys.argv[1])

from millrace_client import AuthenticatedClient
from millrace_client.api.messages import get_message, send_message
from millrace_client.api.settings import list_pools
from millrace_client.models import AcceptedMessage, Message, NewMessage, NewMessageClass, PoolPage, Problem

TRANSACTIONAL = NewMessageClass.TRANSACTIONAL
client = AuthenticatedClient(base_url=os.environ["API"], token=os.environ["KEY"])

pools = list_pools.sync(client=client, limit=1)
assert isinstance(pools, PoolPage), pools
message = NewMessage(
    to="+12025550146", class_=TRANSACTIONAL, body="Your code is 419", pool=pools.data[0].id
)
sent = send_message.sync(client=client, body=message)
assert isinstance(sent, AcceptedMessage), sent

wrong = send_message.sync(client=client, body=NewMessage(to="nobody", class_=TRANSACTIONAL, body="x"))
assert isinstance(wrong, Problem) and wrong.errors[0].code == "invalid_number", wrong

began = time.monotonic()
while True:
    shown = get_message.sync(sent.id, client=client)
    assert isinstance(shown, Message), shown
    if shown.status == "delivered":
        break
    assert time.monotonic() - began < 30, shown
    time.sleep(0.2)
print(f"Python: {sent.id} was delivered")
