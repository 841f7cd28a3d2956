import { assistant } from './en/assistant';
import { campaigns } from './en/campaigns';
import { carriers } from './en/carriers';
import { contact } from './en/contact';
import { door } from './en/door';
import { frame } from './en/frame';
import { inbox } from './en/inbox';
import { messages } from './en/messages';
import { operations } from './en/operations';
import { people } from './en/people';
import { rules } from './en/rules';
import { settings } from './en/settings';
import { why } from './en/why';
import { words } from './en/words';

/** What the console says, in English. */
export const en = {
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
} as const;
