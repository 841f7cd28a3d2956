import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { List } from '../../ui/List';
import { ProblemNote } from '../../ui/Problem';
import type { Column } from '../../ui/Table';
import { toast } from '../../ui/Toast';
import { useDecide, useReviews } from './data';
import { PhoneFilter } from './PhoneFilter';

/** Texts that were taken for an opt-out by other words than a keyword: a person says what each was. */
export function Reviews({ phone }: { phone: string | undefined }) {
  const t = useT();
  const may = useMay('edit_contacts');
  const decide = useDecide();
  const say = (id: string, decision: Schemas['ReviewDecision']) =>
    decide.mutate({ id, decision }, { onSuccess: () => toast(t(`reviews.${decision}.done`)) });
  const columns: Column<Schemas['ConsentReview']>[] = [
    {
      name: t('field.phone'),
      cell: (one) => (
        <Link to="/contacts/$id" params={{ id: one.contact_id }} className="underline">
          {one.phone}
        </Link>
      ),
    },
    { name: t('reviews.text'), cell: (one) => one.text ?? t('reviews.text.gone') },
    { name: t('reviews.rule'), cell: (one) => one.rule, wide: true },
    { name: t('reviews.stopped'), cell: (one) => one.program ?? t('stops.all'), wide: true },
    { name: t('reviews.at'), cell: (one) => <Time at={one.at} />, wide: true },
    {
      name: t('field.act'),
      cell: (one) =>
        one.decision ? (
          t(`reviews.${one.decision}.is`)
        ) : (
          <span className="flex gap-1">
            <Button className="h-7" disabled={!may} onClick={() => say(one.id, 'opted_out')}>
              {t('reviews.opted_out')}
            </Button>
            <Button className="h-7" disabled={!may} onClick={() => say(one.id, 'dismissed')}>
              {t('reviews.dismissed')}
            </Button>
          </span>
        ),
    },
  ];
  return (
    <>
      <p className="text-soft">{t('reviews.says')}</p>
      <PhoneFilter tab="reviews" phone={phone} />
      <ProblemNote error={decide.error} />
      <List
        label={t('compliance.reviews')}
        pages={useReviews(phone)}
        columns={columns}
        idOf={(one) => one.id}
        empty={t('reviews.empty')}
      />
    </>
  );
}
