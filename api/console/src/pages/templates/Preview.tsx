import { useEffect, useState } from 'react';
import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { ProblemNote } from '../../ui/Problem';
import { usePreview } from './data';

/** A text as the phone shows it, rendered and counted by the api. */
export function Preview({ trial }: { trial: Schemas['TemplateTrial'] }) {
  const t = useT();
  const preview = usePreview(useSettled(trial));
  if (!trial.body.trim()) return <p className="text-soft">{t('preview.empty')}</p>;
  if (preview.isError) return <ProblemNote error={preview.error} />;
  return preview.data ? <Phone preview={preview.data} /> : <p className="text-soft">{t('list.loading')}</p>;
}

/** The text once nobody has typed for a moment. */
function useSettled(trial: Schemas['TemplateTrial']) {
  const [settled, setSettled] = useState(trial);
  const said = JSON.stringify(trial);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(JSON.parse(said) as Schemas['TemplateTrial']), 200);
    return () => clearTimeout(timer);
  }, [said]);
  return settled;
}

/** The bubble of a text, and what it counts as. */
export function Phone({ preview, title }: { preview: Schemas['TemplatePreview']; title?: string }) {
  const t = useT();
  const format = useFormat();
  return (
    <div className="flex flex-col gap-2">
      {title && <span className="text-xs text-soft">{title}</span>}
      <p className="max-w-80 rounded-2xl rounded-bl-sm bg-hover px-4 py-2.5 break-words whitespace-pre-wrap">
        {preview.text}
      </p>
      <p className="text-xs text-soft">
        {t('preview.counts', {
          segments: preview.segments,
          units: preview.units,
          encoding: preview.encoding,
          cost: format.money(preview.cost),
        })}
      </p>
      {preview.forces_ucs2 && (
        <p className="text-xs text-waiting">{t('preview.ucs2', { character: preview.forces_ucs2 })}</p>
      )}
      {preview.warnings.map((warning) => (
        <p key={warning.code} className="text-xs text-waiting">
          {warning.detail}
        </p>
      ))}
    </div>
  );
}
