import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { wrongIn } from '../../api/problem';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { SelectField, TextArea, TextField } from '../../ui/Field';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { componentsOf } from './components';
import { useMake } from './data';
import { Components } from './Shown';

const CATEGORIES = ['utility', 'marketing'] as const;

type New = Schemas['NewCarrierTemplate'];

/** Writes a template and asks the carrier to review it. */
export function Make({ accounts, onClose }: { accounts: string[]; onClose: () => void }) {
  const t = useT();
  const make = useMake();
  const [seen, setSeen] = useState<New['components']>({ body: { text: '', examples: [] }, buttons: [] });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const text = (name: string) => String(form.get(name) ?? '').trim();
    const body = {
      account: text('account'),
      name: text('name'),
      language: text('language'),
      category: text('category') as New['category'],
      components: componentsOf(form),
    };
    make.mutate(body, {
      onSuccess: ({ name }) => {
        toast(t('carrier.made', { name }));
        onClose();
      },
    });
  };
  const wrong = wrongIn(make.error);
  return (
    <Dialog wide title={t('carrier.new')} onClose={onClose}>
      <form
        className="flex flex-col gap-3"
        onSubmit={submit}
        onChange={(event) => setSeen(componentsOf(new FormData(event.currentTarget)))}
      >
        <div className="grid gap-3 sm:grid-cols-2">
          <SelectField
            name="account"
            label={t('carrier.account')}
            error={wrong('account')}
            choices={accounts.map((one) => [one, one] as const)}
          />
          <SelectField
            name="category"
            label={t('carrier.category')}
            choices={CATEGORIES.map((one) => [one, t(`category.${one}`)] as const)}
          />
          <TextField
            name="name"
            required
            label={t('field.name')}
            hint={t('carrier.name.hint')}
            error={wrong('name')}
          />
          <TextField
            name="language"
            required
            label={t('field.language')}
            hint={t('carrier.language.hint')}
            error={wrong('language')}
          />
        </div>
        <Parts wrong={wrong} />
        <div aria-label={t('builder.preview')} role="group">
          <Components of={seen} />
        </div>
        <ProblemNote error={make.error} />
        <Button kind="primary" type="submit" className="self-start" disabled={make.isPending}>
          {t('carrier.make')}
        </Button>
      </form>
    </Dialog>
  );
}

/** The parts of a template. */
function Parts({ wrong }: { wrong: (name: string) => string | undefined }) {
  const t = useT();
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-2">
        <TextField name="header" label={t('carrier.header')} error={wrong('components.header.text')} />
        <TextField
          name="header_example"
          label={t('carrier.header.example')}
          error={wrong('components.header.example')}
        />
      </div>
      <TextArea
        name="body"
        required
        rows={4}
        label={t('carrier.body')}
        hint={t('carrier.body.hint')}
        error={wrong('components.body.text')}
      />
      <TextArea
        name="examples"
        rows={2}
        label={t('carrier.examples')}
        hint={t('carrier.examples.hint')}
        error={wrong('components.body.examples')}
      />
      <TextField name="footer" label={t('carrier.footer')} error={wrong('components.footer')} />
      <TextArea name="buttons" rows={2} label={t('carrier.buttons')} hint={t('carrier.buttons.hint')} />
    </>
  );
}
