/** In English: the list of messages. */
export const messages = {
  'nav.messages': 'Messages',
  'messages.says': 'Every message to anybody, the latest first. Each says why it is where it is.',
  'messages.empty': 'No message is like that.',
  'messages.at': 'Accepted',
  'messages.since': 'Accepted from',
  'messages.until': 'Accepted before',
  'messages.show': 'Show these',
  'messages.csv': 'These as CSV',
  'messages.ndjson': 'These as NDJSON',
} as const;
