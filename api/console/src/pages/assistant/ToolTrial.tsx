import { useState } from 'react';
import { useT } from '../../i18n';
import { Button } from '../../ui/Button';
import { TextArea } from '../../ui/Field';
import { ProblemNote } from '../../ui/Problem';
import { objectOf } from './schema';
import { useToolTrial } from './data';

/** Calls a tool once, and shows what the model would read of its answer. */
export function ToolTrial({ id }: { id: string }) {
  const t = useT();
  const trial = useToolTrial();
  const [text, setText] = useState('{}');
  const input = objectOf(text);
  return (
    <div className="flex flex-col gap-3 border-t border-line pt-3">
      <TextArea
        rows={2}
        spellCheck={false}
        className="font-mono text-xs"
        label={t('tools.input')}
        value={text}
        onChange={(e) => setText(e.target.value)}
        error={input ? undefined : t('policy.json')}
      />
      <Button
        className="self-start"
        disabled={!input || trial.isPending}
        onClick={() => input && trial.mutate({ id, input })}
      >
        {t('tools.try')}
      </Button>
      <ProblemNote error={trial.error} />
      {trial.data && (
        <div role="status" className="flex flex-col gap-1">
          <p className="text-xs text-soft">
            {t('tools.came', { outcome: trial.data.outcome, ms: trial.data.latency_ms })}
          </p>
          <p className="rounded-md bg-hover p-2 text-xs break-words whitespace-pre-wrap">
            {trial.data.shown}
          </p>
        </div>
      )}
    </div>
  );
}
