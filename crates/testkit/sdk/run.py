"""The carriers' SDKs, one after the other. Prints what was counted; a count of zero is a failure.

API, SANDBOX and KEY say where the platform and the sandbox are, and with which key it is asked.
"""

import sys

import bandwidth_checks
import twilio_checks
import whatsapp_checks
from counts import Counts


def main():
    all_counted = True
    for carrier in (twilio_checks, bandwidth_checks, whatsapp_checks):
        counts = Counts(carrier.COUNTED)
        carrier.check(counts)
        print(f"test-sdk: {carrier.SDK}: {counts}")
        all_counted &= counts.complete()
    sys.exit(0 if all_counted else "test-sdk: a count is zero")


if __name__ == "__main__":
    main()
