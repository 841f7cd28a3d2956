import type { messages as messagesEnglish } from '../en/messages';

/** In Spanish: the list of messages. */
export const messages: Record<keyof typeof messagesEnglish, string> = {
  'nav.messages': 'Mensajes',
  'messages.says': 'Cada mensaje a cualquiera, el último primero. Cada uno dice por qué está donde está.',
  'messages.empty': 'Ningún mensaje es así.',
  'messages.at': 'Aceptado',
  'messages.since': 'Aceptado desde',
  'messages.until': 'Aceptado antes de',
  'messages.show': 'Mostrar estos',
  'messages.csv': 'Estos como CSV',
  'messages.ndjson': 'Estos como NDJSON',
};
