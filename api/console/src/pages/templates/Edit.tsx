import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { TextField } from '../../ui/Field';
import { Coming, Page } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { useSave, useTemplate } from './data';
import { Variant } from './Variant';
import { Versions } from './Versions';

const FIRST: Schemas['TemplateVariant'] = { key: 'a', weight: 1, bodies: { en: '' } };

/** Writes a template: its variants, each in its languages, with what they become. */
export default function Edit() {
  const t = useT();
  const { id } = useParams({ from: '/frame/templates/$id' });
  const template = useTemplate(id);
  if (template.isError) return <ProblemNote error={template.error} />;
  if (id !== 'new' && !template.data) return <Coming says={t('list.loading')} rows={8} />;
  return <Form key={template.data?.version ?? 0} id={id} template={template.data} />;
}

function Form({ id, template }: { id: string; template: Schemas['Template'] | undefined }) {
  const t = useT();
  const navigate = useNavigate();
  const may = useMay('edit_campaigns');
  const save = useSave(id);
  const [name, setName] = useState(template?.name ?? '');
  const [variants, setVariants] = useState(template?.variants ?? [FIRST]);
  const [variables, setVariables] = useState((template?.variables ?? []).join(', '));
  const named = variables.split(',').map((one) => one.trim());
  const body = { name, variants, variables: named.filter(Boolean) };
  const done = (saved: Schemas['Template']) => {
    toast(t('templates.saved', { n: saved.version }));
    void navigate({ to: '/templates/$id', params: { id: saved.id }, replace: true });
  };
  const set = (index: number, next: Schemas['TemplateVariant']) =>
    setVariants(variants.map((one, i) => (i === index ? next : one)));
  const add = () => {
    const key = String.fromCharCode(97 + variants.length);
    setVariants([...variants, { ...FIRST, key }]);
  };
  const actions = may && (
    <Button kind="primary" disabled={save.isPending} onClick={() => save.mutate(body, { onSuccess: done })}>
      {template ? t('templates.save.version', { n: template.version + 1 }) : t('templates.save')}
    </Button>
  );
  return (
    <Page title={template?.name ?? t('templates.new')} actions={actions}>
      <ProblemNote error={save.error} />
      <div className="grid max-w-2xl gap-3 sm:grid-cols-2">
        {!template && (
          <TextField label={t('field.name')} value={name} onChange={(e) => setName(e.target.value)} />
        )}
        <TextField
          label={t('templates.variables')}
          hint={t('templates.variables.hint')}
          readOnly={!may}
          value={variables}
          onChange={(e) => setVariables(e.target.value)}
        />
      </div>
      {variants.map((variant, index) => (
        <Variant
          key={index}
          variant={variant}
          onChange={(next) => set(index, next)}
          {...(variants.length > 1
            ? { onRemove: () => setVariants(variants.filter((_, i) => i !== index)) }
            : {})}
        />
      ))}
      <Button className="self-start" onClick={add}>
        {t('templates.variant.add')}
      </Button>
      {template && <Versions id={template.id} now={template.version} />}
    </Page>
  );
}
