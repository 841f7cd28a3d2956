import { Link } from '@tanstack/react-router';
import { useT } from '../i18n';
import { useUnread } from '../pages/inbox/data';
import { usePlaces } from './places';

/** The places of the console: at the left, and below on a phone. */
export function Rail() {
  const t = useT();
  const places = usePlaces();
  return (
    <nav
      aria-label={t('nav.label')}
      className="fixed inset-x-0 bottom-0 z-30 flex overflow-x-auto border-t border-line bg-sheet
        sm:inset-y-0 sm:right-auto sm:w-14 sm:flex-col sm:overflow-y-auto sm:border-t-0 sm:border-r sm:py-3 lg:w-52"
    >
      {places.map((place) => (
        <Link
          key={place.to}
          to={place.to}
          activeOptions={{ exact: place.to === '/' }}
          title={t(place.name)}
          className="relative flex min-w-16 flex-col items-center gap-0.5 px-2 py-1.5 text-soft hover:bg-hover
            hover:text-ink sm:min-w-0 lg:flex-row lg:gap-3 lg:px-4"
          activeProps={{ className: 'text-ink font-semibold bg-hover', 'aria-current': 'page' }}
        >
          <span aria-hidden="true" className="w-5 text-center text-base">
            {place.sign}
          </span>
          <span className="text-xs whitespace-nowrap sm:sr-only lg:not-sr-only lg:text-sm">
            {t(place.name)}
          </span>
          {place.to === '/inbox' && <Unread />}
        </Link>
      ))}
    </nav>
  );
}

/** How many conversations have something unread: as many as one page of the api tells. */
function Unread() {
  const t = useT();
  const unread = useUnread().data;
  if (!unread || unread.data.length === 0) return null;
  const count = `${unread.data.length}${unread.next_cursor ? '+' : ''}`;
  return (
    <span
      className="absolute top-0.5 right-1 rounded-full bg-accent-strong px-1.5 text-xs font-semibold text-white
        lg:static lg:ml-auto"
    >
      <span aria-hidden="true">{count}</span>
      <span className="sr-only">{t('nav.waiting', { n: count })}</span>
    </span>
  );
}
