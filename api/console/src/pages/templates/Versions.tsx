import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Card } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { useVersions } from './data';

/** What a template said before: each version with its texts. Messages keep the one they were made from. */
export function Versions({ id, now }: { id: string; now: number }) {
  const t = useT();
  const versions = useVersions(id);
  const earlier = versions.rows.filter((one) => one.version !== now);
  if (earlier.length === 0) return <ProblemNote error={versions.error} />;
  return (
    <Card title={t('templates.earlier')}>
      <ol className="flex flex-col gap-3">
        {earlier.map((one) => (
          <li key={one.version} className="flex flex-col gap-1">
            <span className="text-xs text-soft">
              {t('templates.version.of', { n: one.version })} <Time at={one.created_at} />
            </span>
            {one.variants.flatMap((variant) =>
              Object.entries(variant.bodies).map(([language, body]) => (
                <p key={`${variant.key} ${language}`} className="break-words whitespace-pre-wrap">
                  <span className="text-soft">{`${variant.key} · ${language} `}</span>
                  {body}
                </p>
              )),
            )}
          </li>
        ))}
      </ol>
    </Card>
  );
}
