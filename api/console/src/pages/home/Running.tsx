import { Link } from '@tanstack/react-router';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { useLive } from '../../live';
import { pressed } from '../../ui/Button';
import { Card, Empty } from '../../ui/Page';
import { Pill } from '../../ui/Pill';
import { Funnel } from '../campaign/Funnel';
import { useTotals } from '../campaign/data';
import { useCampaigns } from '../campaigns/data';

const SHOWN = 3;

/** The campaigns that run, else the latest: each with its thin funnel. */
export function Running() {
  const t = useT();
  const may = useMay('edit_campaigns');
  const { rows, isSuccess } = useCampaigns();
  const running = rows.filter((one) => one.state === 'running' || one.state === 'starting');
  const shown = (running.length > 0 ? running : rows).slice(0, SHOWN);
  return (
    <Card title={running.length > 0 ? t('home.running') : t('home.latest')}>
      {isSuccess && shown.length === 0 && (
        <Empty says={t('campaigns.empty')}>
          {may && (
            <Link to="/campaigns/new" className={pressed('primary')}>
              {t('campaigns.new')}
            </Link>
          )}
        </Empty>
      )}
      {shown.map((one) => (
        <One key={one.id} campaign={one} />
      ))}
    </Card>
  );
}

function One({ campaign }: { campaign: Schemas['Campaign'] }) {
  useLive(`campaign:${campaign.id}`);
  const totals = useTotals(campaign.id).data;
  return (
    <div className="flex flex-col gap-2">
      <div className="flex items-center gap-3">
        <Link to="/campaigns/$id" params={{ id: campaign.id }} className="font-medium underline">
          {campaign.name}
        </Link>
        <Pill state={campaign.state} />
      </div>
      {totals && <Funnel campaign={campaign} totals={totals} thin />}
    </div>
  );
}
