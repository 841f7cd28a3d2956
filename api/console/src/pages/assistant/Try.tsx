import { useState, type FormEvent } from 'react';
import type { Schemas } from '../../api/client';
import { useT, type Key } from '../../i18n';
import { useFormat } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Facts } from '../../ui/Facts';
import { TextArea } from '../../ui/Field';
import { Card } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { useTry, type Whose } from './data';
import { linesOf } from './lines';

type Props = { whose: Whose; settings: () => Schemas['AssistantSettings'] };

/** What it would answer by what the form says; nothing is sent or kept. */
export function Try({ whose, settings }: Props) {
  const t = useT();
  const attempt = useTry();
  const [text, setText] = useState('');
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    attempt.mutate({ ...whose, texts: linesOf(text), settings: settings() });
  };
  return (
    <Card title={t('assistant.try')}>
      <form className="flex flex-col gap-3" onSubmit={submit}>
        <TextArea
          required
          rows={3}
          label={t('assistant.try.texts')}
          hint={t('assistant.try.says')}
          value={text}
          onChange={(e) => setText(e.target.value)}
        />
        <Button type="submit" className="self-start" disabled={attempt.isPending || !text.trim()}>
          {attempt.isPending ? t('assistant.try.runs') : t('assistant.try.ask')}
        </Button>
      </form>
      <ProblemNote error={attempt.error} />
      {attempt.data && <Tested tested={attempt.data} />}
    </Card>
  );
}

function Tested({ tested }: { tested: Schemas['AssistantTested'] }) {
  const t = useT();
  const format = useFormat();
  const found = Object.entries(tested.qualification).map(([name, value]): [string, string] => [name, value]);
  return (
    <div role="status" className="flex flex-col gap-3">
      {tested.reply ? (
        <p className="rounded-md bg-hover p-3 break-words whitespace-pre-wrap">{tested.reply}</p>
      ) : (
        <p className="text-soft">{t('assistant.try.silent')}</p>
      )}
      <Facts
        facts={[
          [t('assistant.reason'), t(`assistant.because.${tested.reason}` as Key)],
          [t('assistant.confidence'), tested.confidence && t(`assistant.sure.${tested.confidence}` as Key)],
          ...found,
          [t('assistant.model'), tested.model],
          [t('assistant.read'), tested.model && format.number(tested.input_tokens)],
          [t('assistant.written'), tested.model && format.number(tested.output_tokens)],
          [t('assistant.cost'), tested.model && format.number(tested.cost_micros)],
          [t('assistant.latency'), tested.model && format.number(tested.latency_ms)],
        ]}
      />
    </div>
  );
}
