import { assistant } from './es/assistant';
import { campaigns } from './es/campaigns';
import { carriers } from './es/carriers';
import { contact } from './es/contact';
import { door } from './es/door';
import { frame } from './es/frame';
import { inbox } from './es/inbox';
import { messages } from './es/messages';
import { operations } from './es/operations';
import { people } from './es/people';
import { rules } from './es/rules';
import { settings } from './es/settings';
import { why } from './es/why';
import { words } from './es/words';
import type { en } from './en';

/** What the console says, in Spanish: every key that English has. */
export const es: Record<keyof typeof en, string> = {
  ...frame,
  ...door,
  ...words,
  ...campaigns,
  ...inbox,
  ...people,
  ...why,
  ...rules,
  ...settings,
  ...contact,
  ...assistant,
  ...carriers,
  ...messages,
  ...operations,
};
