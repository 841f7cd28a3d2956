import { useState } from 'react';
import type { Schemas } from '../../api/client';
import { useMay } from '../../api/me';
import { useT } from '../../i18n';
import { Time } from '../../i18n/format';
import { Button } from '../../ui/Button';
import { Confirm } from '../../ui/Confirm';
import { TextArea } from '../../ui/Field';
import { Card, Coming } from '../../ui/Page';
import { ProblemNote } from '../../ui/Problem';
import { toast } from '../../ui/Toast';
import { usePolicies, useReplacePolicy } from './data';
import { differences, type Difference } from './diff';
import { RulesForm } from './RulesForm';

/** The rules that the gates go by, and what another version would change. */
export function Policy() {
  const t = useT();
  const policies = usePolicies();
  const may = useMay('edit_settings');
  const [warnings, setWarnings] = useState<Schemas['PolicyWarning'][]>([]);
  const versions = policies.data?.data ?? [];
  const now = versions[0];
  if (policies.isError) return <ProblemNote error={policies.error} />;
  if (!now) return <Coming says={t('list.loading')} rows={8} />;
  return (
    <div className="grid gap-4 lg:grid-cols-2">
      <Edit key={now.version} now={now} readOnly={!may} warnings={warnings} onWarned={setWarnings} />
      <Card title={t('policy.history')}>
        <ol className="flex flex-col gap-3">
          {versions.map((one, index) => (
            <li key={one.version} className="flex flex-col gap-1">
              <span className="font-medium">{t('policy.version', { n: one.version })}</span>
              <span className="text-xs text-soft">
                <Time at={one.created_at} /> {one.created_by}
              </span>
              <Diff
                changes={versions[index + 1] ? differences(versions[index + 1]?.policy, one.policy) : []}
              />
            </li>
          ))}
        </ol>
      </Card>
    </div>
  );
}

type Props = {
  now: Schemas['PolicyVersion'];
  readOnly: boolean;
  /** What the api has said of the version that was put in force last. */
  warnings: Schemas['PolicyWarning'][];
  onWarned: (warnings: Schemas['PolicyWarning'][]) => void;
};

function Edit({ now, readOnly, warnings, onWarned }: Props) {
  const t = useT();
  const replace = useReplacePolicy();
  const [text, setText] = useState(() => JSON.stringify(now.policy, null, 2));
  const [asText, setAsText] = useState(false);
  const [asks, setAsks] = useState(false);
  const next = read(text);
  const changes = next ? differences(now.policy, next) : [];
  const put = () =>
    next &&
    replace.mutate(next, {
      onSuccess: (done) => {
        toast(t('policy.done', { n: done.version }));
        onWarned(done.warnings ?? []);
      },
    });
  return (
    <Card title={t('policy.version', { n: now.version })}>
      {warnings.map((one) => (
        <p key={one.rule + one.detail} role="alert" className="text-waiting">
          <code>{one.rule}</code>
          {': '}
          {[one.detail, one.states.join(', ')].filter(Boolean).join(' ')}
        </p>
      ))}
      <Button
        className="self-start"
        aria-pressed={asText}
        disabled={!next}
        onClick={() => setAsText(!asText)}
      >
        {asText ? t('policy.form') : t('policy.text')}
      </Button>
      {asText || !next ? (
        <TextArea
          label={t('policy.rules')}
          rows={22}
          spellCheck={false}
          readOnly={readOnly}
          className="font-mono text-xs"
          value={text}
          error={next ? undefined : t('policy.json')}
          onChange={(e) => setText(e.target.value)}
        />
      ) : (
        <RulesForm
          policy={next}
          readOnly={readOnly}
          onChange={(policy) => setText(JSON.stringify(policy, null, 2))}
        />
      )}
      <Diff changes={changes} />
      <ProblemNote error={replace.error} />
      {!readOnly && (
        <Button
          kind="primary"
          className="self-start"
          disabled={changes.length === 0 || replace.isPending}
          onClick={() => setAsks(true)}
        >
          {t('policy.put', { n: changes.length })}
        </Button>
      )}
      {asks && (
        <Confirm
          title={t('policy.put', { n: changes.length })}
          says={t('policy.says')}
          act={t('policy.put', { n: changes.length })}
          onConfirm={put}
          onClose={() => setAsks(false)}
        />
      )}
    </Card>
  );
}

function read(text: string): Schemas['Policy'] | null {
  try {
    return JSON.parse(text) as Schemas['Policy'];
  } catch {
    return null;
  }
}

function Diff({ changes }: { changes: Difference[] }) {
  return (
    <ul className="flex flex-col gap-1 text-xs">
      {changes.map(({ rule, from, to }) => (
        <li key={rule} className="break-words">
          <code>{rule}</code>
          {': '}
          <del className="text-failed">{from}</del>
          {' → '}
          <ins className="text-delivered no-underline">{to}</ins>
        </li>
      ))}
    </ul>
  );
}
