import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Facts } from '../../ui/Facts';
import { Coming } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { useAccountNumbers } from './data';

/** The numbers that an account has at its carrier, in the carrier's own words. */
export function AccountNumbers({ account, onClose }: { account: string; onClose: () => void }) {
  const t = useT();
  const numbers = useAccountNumbers(account);
  return (
    <Dialog wide title={t('accounts.numbers.of', { account })} onClose={onClose}>
      {numbers.isPending && <Coming says={t('accounts.numbers.asks')} />}
      <ProblemNote error={numbers.error} onRetry={() => void numbers.refetch()} />
      {numbers.data?.data.length === 0 && <p className="text-soft">{t('accounts.numbers.none')}</p>}
      <ul tabIndex={0} className="flex max-h-[60vh] flex-col divide-y divide-line overflow-auto">
        {numbers.data?.data.map((one) => (
          <li key={one.carrier_id} className="flex flex-col gap-1 py-3">
            <span className="font-medium">{one.number ?? one.carrier_id}</span>
            <Facts
              facts={[
                [t('field.name'), one.name],
                [t('accounts.sid'), one.carrier_id],
                [t('field.state'), one.status],
                [t('carrier.quality'), one.quality],
                [t('accounts.limit'), one.messaging_limit],
                [t('accounts.throughput'), one.throughput],
                [t('accounts.sender'), one.sender ? t('field.yes') : t('field.no')],
              ]}
            />
          </li>
        ))}
      </ul>
      <Button className="self-end" onClick={onClose}>
        {t('act.done')}
      </Button>
    </Dialog>
  );
}
