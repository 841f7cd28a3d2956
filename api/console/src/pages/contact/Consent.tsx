import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT, type Key } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { SelectField, TextField } from '../../ui/Field';
import { Card, Coming } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { useConsent, useNewConsent } from './data';

const ACTIONS = ['grant', 'confirm', 'revoke', 'restore'] as const;
const METHODS = ['web_form', 'paper', 'voice', 'email', 'point_of_sale', 'in_app', 'api'] as const;

/** What a person has agreed to and taken back, each with its evidence. */
export function Consent({ id }: { id: string }) {
  const t = useT();
  const consent = useConsent(id);
  const may = useMay('edit_contacts');
  const [adds, setAdds] = useState(false);
  const add = may && <Button onClick={() => setAdds(true)}>{t('consent.add')}</Button>;
  return (
    <Card title={t('consent.title')} aside={add}>
      <ProblemNote error={consent.error} />
      {!consent.data && !consent.error && <Coming says={t('list.loading')} />}
      {consent.data?.data.length === 0 && <p className="text-soft">{t('consent.none')}</p>}
      <ol className="flex flex-col gap-3 border-l border-line pl-4">
        {consent.data?.data.map((line) => (
          <Line key={line.id} line={line} />
        ))}
      </ol>
      {adds && <Add id={id} onClose={() => setAdds(false)} />}
    </Card>
  );
}

function Line({ line }: { line: Schemas['ConsentLine'] }) {
  const t = useT();
  const evidence = [line.basis, line.source, line.page_url, line.disclosure, line.ip, line.recorded_by];
  return (
    <li>
      <p className="font-medium">
        {t(`consent.${line.action}` as Key)}
        {line.method && <span className="text-soft">{` · ${t(`method.${line.method}` as Key)}`}</span>}
      </p>
      <p className="text-xs text-soft">
        <Time at={line.at} /> {evidence.filter(Boolean).join(' · ')}
      </p>
    </li>
  );
}

function Add({ id, onClose }: { id: string; onClose: () => void }) {
  const t = useT();
  const add = useNewConsent(id);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const body = {
      action: form.get('action') as Schemas['NewConsentAction'],
      method: form.get('method') as Schemas['NewConsentMethod'],
      source: String(form.get('source') ?? '').trim() || null,
    };
    add.mutate(body, { onSuccess: onClose });
  };
  return (
    <Dialog title={t('consent.add')} onClose={onClose}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <SelectField
          name="action"
          label={t('consent.action')}
          choices={ACTIONS.map((one) => [one, t(`consent.${one}`)] as const)}
        />
        <SelectField
          name="method"
          label={t('consent.method')}
          choices={METHODS.map((one) => [one, t(`method.${one}`)] as const)}
        />
        <TextField name="source" label={t('consent.source')} />
        <ProblemNote error={add.error} />
        <Button kind="primary" type="submit" disabled={add.isPending}>
          {t('act.save')}
        </Button>
      </form>
    </Dialog>
  );
}
