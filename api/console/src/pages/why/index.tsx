import { useNavigate, useSearch } from '@tanstack/react-router';
import type { FormEvent } from 'react';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { Card, Coming, Empty, Page } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { isId, useFound } from './data';
import { Passport } from './Passport';
import { WhatIf } from './WhatIf';

/** Why somebody was or was not written to, and what would happen if. */
export default function Why() {
  const t = useT();
  const navigate = useNavigate();
  const { of = '' } = useSearch({ from: '/frame/why' });
  const found = useFound(of);
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const asked = String(new FormData(event.currentTarget).get('of') ?? '').trim();
    void navigate({ to: '/why', search: { of: asked } });
  };
  const number = isId(of) ? found.data?.[0]?.to : of;
  return (
    <Page title={t('nav.why')} sentence={t('why.says')}>
      <form className="flex max-w-xl items-end gap-2" onSubmit={submit}>
        <div className="flex-1">
          <TextField key={of} type="search" name="of" required defaultValue={of} label={t('why.ask')} />
        </div>
        <Button kind="primary" type="submit">
          {t('why.find')}
        </Button>
      </form>
      <ProblemNote error={found.error} />
      {of !== '' && found.isPending && <Coming says={t('list.loading')} />}
      {found.data?.length === 0 && <Empty says={t('why.none')} />}
      {found.data?.map((message) => (
        <Passport key={message.id} message={message} />
      ))}
      <Card title={t('whatif.title')}>
        <WhatIf key={number} to={number ?? ''} />
      </Card>
    </Page>
  );
}
