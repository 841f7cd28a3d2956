import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { Facts } from '../../ui/Facts';
import { TextField } from '../../ui/Field';
import { Pill } from '../../ui/Pill';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useDelete } from './data';

type Template = Schemas['CarrierTemplate'];

/** One template: what it says, how its review stands and why, and its end. */
export function Shown({ template, onClose }: { template: Template; onClose: () => void }) {
  const t = useT();
  const may = useMay('edit_campaigns');
  return (
    <Dialog wide title={`${template.name} · ${template.language}`} onClose={onClose}>
      <Components of={template.components} />
      <Facts
        facts={[
          [t('field.state'), <Pill key="state" state={template.state} />],
          [t('carrier.status'), template.carrier_status],
          [t('field.reason'), template.reason],
          [t('carrier.quality'), <Pill key="quality" state={template.quality} />],
          [t('carrier.category'), template.category],
          [t('carrier.account'), template.account],
          [t('field.created'), <Time key="at" at={template.created_at} />],
        ]}
      />
      {may && <Delete template={template} onDone={onClose} />}
      <Button className="self-end" onClick={onClose}>
        {t('act.done')}
      </Button>
    </Dialog>
  );
}

/** What a template is made of, about as a phone shows it. */
export function Components({ of }: { of: Schemas['CarrierTemplateComponents'] }) {
  const { header, body, footer, buttons } = of;
  return (
    <div className="flex max-w-sm flex-col gap-2 rounded-md bg-hover p-3">
      {header && <p className="font-semibold break-words">{header.text ?? header.format}</p>}
      <p className="break-words whitespace-pre-wrap">{body.text}</p>
      {footer && <p className="text-xs break-words text-soft">{footer}</p>}
      {buttons?.map((one, index) => (
        <p key={index} className="border-t border-line pt-2 text-center text-xs break-all">
          {[one.text ?? one.type, one.url ?? one.phone_number].filter(Boolean).join(' · ')}
        </p>
      ))}
    </div>
  );
}

/** Its name is typed first: neither it nor its review comes back. */
function Delete({ template, onDone }: { template: Template; onDone: () => void }) {
  const t = useT();
  const remove = useDelete();
  const [text, setText] = useState('');
  const done = () => {
    toast(t('carrier.deleted', { name: template.name }));
    onDone();
  };
  return (
    <div className="flex flex-col gap-3">
      <p className="text-soft">{t('carrier.delete.says')}</p>
      <TextField
        label={t('confirm.type', { what: template.name })}
        value={text}
        onChange={(e) => setText(e.target.value)}
      />
      <ProblemNote error={remove.error} />
      <Button
        kind="danger"
        className="self-start"
        disabled={text !== template.name || remove.isPending}
        onClick={() => remove.mutate(template.id, { onSuccess: done })}
      >
        {t('carrier.delete')}
      </Button>
    </div>
  );
}
