import type { operations as operationsEnglish } from '../en/operations';

/** In Spanish: how the company's traffic goes. */
export const operations: Record<keyof typeof operationsEnglish, string> = {
  'operations.says': 'Si fluye, y qué tiene que revisar alguien.',
  'operations.now': 'Ahora',
  'operations.way': 'En camino',
  'operations.standing': 'Qué rige',
  'operations.platform': 'La plataforma',
  'operations.counted': 'Contado hasta',
  'operations.changes': 'Cambios contados',
  'operations.limit.day': 'Mensajes al día, según el plan',
  'operations.limit.pace': 'Segmentos por segundo, según el plan',
  'operations.unlimited': 'Sin límite',
  'operations.elsewhere':
    'Los flujos, los retrasos, las cartas muertas y la retención son de toda la plataforma: quien la opera los ve con millrace top, millrace dead y millrace doctor.',
  'operations.pace': 'Ritmo de los remitentes',
  'operations.carried': 'Llevados hoy',
  'operations.may': 'Puede llevar hoy',
  'operations.thrown': 'Interruptores accionados',
  'operations.thrown.none': 'Nadie ha accionado un interruptor.',
  'operations.message': 'Mensaje',
  'operations.doubts': 'En duda',
  'operations.doubts.says':
    'Se llamó al operador y no ha dicho si tiene el mensaje. Se le pide su lista hasta que esté claro: nada se envía dos veces.',
  'operations.doubts.empty': 'Ningún mensaje está en duda.',
  'operations.looks': 'Veces preguntado',
  'operations.next': 'Se pregunta de nuevo',
  'operations.received': 'Llegó',
  'operations.unmatched': 'Acuses sin mensaje',
  'operations.unmatched.says':
    'Lo que los operadores informaron de mensajes que no están aquí. Se guardan los 1.000 últimos durante 30 días.',
  'operations.unmatched.empty': 'Cada acuse pertenece a un mensaje.',
  'operations.conflicts': 'Conflictos',
  'operations.conflicts.says':
    'Llegó un mensaje con una clave de idempotencia que ya tiene otro. Se envía el primero, este no.',
  'operations.conflicts.empty': 'Ninguna clave se usó para dos mensajes.',
};
