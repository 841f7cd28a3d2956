import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { TextArea, TextField } from '../../ui/Field';
import { Card } from '../../ui/Page';
import { Preview } from './Preview';

type Props = {
  variant: Schemas['TemplateVariant'];
  onChange: (variant: Schemas['TemplateVariant']) => void;
  onRemove?: () => void;
};

/** One variant: how often it is taken, and its text in each language beside what it becomes. */
export function Variant({ variant, onChange, onRemove }: Props) {
  const t = useT();
  const [language, setLanguage] = useState('');
  const write = (of: string, body: string) =>
    onChange({ ...variant, bodies: { ...variant.bodies, [of]: body } });
  return (
    <Card
      title={t('templates.variant', { key: variant.key })}
      aside={onRemove && <Button onClick={onRemove}>{t('act.remove')}</Button>}
    >
      <div className="grid max-w-md grid-cols-2 gap-3">
        <TextField
          label={t('templates.key')}
          value={variant.key}
          onChange={(e) => onChange({ ...variant, key: e.target.value })}
        />
        <TextField
          label={t('templates.weight')}
          type="number"
          min={0}
          value={variant.weight}
          onChange={(e) => onChange({ ...variant, weight: Number(e.target.value) })}
        />
      </div>
      {Object.entries(variant.bodies).map(([of, body]) => (
        <div key={of} className="grid gap-4 lg:grid-cols-2">
          <TextArea
            label={t('templates.text', { language: of })}
            hint={t('templates.text.hint')}
            rows={4}
            value={body}
            onChange={(e) => write(of, e.target.value)}
          />
          <Preview trial={{ body, language: of, class: 'promo' }} />
        </div>
      ))}
      <div className="flex items-end gap-2">
        <div className="w-40">
          <TextField
            label={t('templates.language')}
            maxLength={2}
            value={language}
            onChange={(e) => setLanguage(e.target.value.toLowerCase())}
          />
        </div>
        <Button
          disabled={!/^[a-z]{2}$/.test(language) || language in variant.bodies}
          onClick={() => {
            write(language, '');
            setLanguage('');
          }}
        >
          {t('templates.language.add')}
        </Button>
      </div>
    </Card>
  );
}
