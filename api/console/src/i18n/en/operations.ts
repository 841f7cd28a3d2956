/** In English: how the company's traffic goes. */
export const operations = {
  'operations.says': 'Whether it flows, and what somebody has to look into.',
  'operations.now': 'Now',
  'operations.way': 'On its way',
  'operations.standing': 'What holds',
  'operations.platform': 'The platform',
  'operations.counted': 'Counted up to',
  'operations.changes': 'Changes counted',
  'operations.limit.day': 'Messages a day, by the plan',
  'operations.limit.pace': 'Segments a second, by the plan',
  'operations.unlimited': 'No limit',
  'operations.elsewhere':
    'Streams, lags, dead letters and retention are of the whole platform: who runs it sees them with millrace top, millrace dead and millrace doctor.',
  'operations.pace': 'Pace of the senders',
  'operations.carried': 'Carried today',
  'operations.may': 'May carry today',
  'operations.thrown': 'Switches that were thrown',
  'operations.thrown.none': 'Nobody has thrown a switch.',
  'operations.message': 'Message',
  'operations.doubts': 'In doubt',
  'operations.doubts.says':
    'The carrier was called and has not said whether it has the message. It is asked for its list until it is clear: nothing is sent twice.',
  'operations.doubts.empty': 'No message is in doubt.',
  'operations.looks': 'Times asked',
  'operations.next': 'Asked next',
  'operations.received': 'Came',
  'operations.unmatched': 'Unmatched receipts',
  'operations.unmatched.says':
    'What carriers reported about messages that are not here. The newest 1,000 are kept for 30 days.',
  'operations.unmatched.empty': 'Every receipt belongs to a message.',
  'operations.conflicts': 'Conflicts',
  'operations.conflicts.says':
    'A message came under an idempotency key that another one has. The first is sent, this one is not.',
  'operations.conflicts.empty': 'No key was used for two messages.',
} as const;
