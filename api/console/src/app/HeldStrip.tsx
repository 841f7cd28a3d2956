import { Link } from '@tanstack/react-router';
import { useT } from '../i18n';
import { useSwitches } from '../pages/budgets/data';

/** Says under the bar that a switch holds everything, for as long as one does. */
export function HeldStrip() {
  const t = useT();
  const switches = useSwitches().data;
  const own = switches?.data.find((one) => one.scope === 'tenant');
  if (!switches || (switches.platform === 'on' && !own)) return null;
  const says = own
    ? t(`held.${own.mode === 'stopped' ? 'stopped' : 'paused'}`, { reason: own.reason })
    : t('held.platform');
  return (
    <div
      role="alert"
      className="flex flex-wrap items-center gap-3 bg-failed px-6 py-2 font-medium text-sheet"
    >
      <span>{says}</span>
      <Link to="/budgets" className="underline">
        {t('held.open')}
      </Link>
    </div>
  );
}
