import { useT } from '../../i18n';
import { Page } from '../../ui/Page';
import { Budgets } from './Budgets';
import { Switches } from './Switches';

/** What may be spent, and what holds everything at once. */
export default function BudgetsPage() {
  const t = useT();
  return (
    <Page title={t('budgets.title')} sentence={t('budgets.says')}>
      <Switches />
      <Budgets />
    </Page>
  );
}
